const X = require('xlsx');
const NAMES = ['Service Name', 'Duration', 'Location', 'Members', 'Availability Type', 'Price'];
const row = (name, duration = 60, price = 19.5) => [name, duration, 'Client Address', 'ann@example.com', 'Every Business Days', price];
const out = process.argv[2];
function book(rows, name = 'Services') { const wb = X.utils.book_new(); const ws = X.utils.aoa_to_sheet(rows, {cellDates: false}); X.utils.book_append_sheet(wb, ws, name); return [wb, ws]; }
function write(wb, file, type) { X.writeFile(wb, out + '/' + file, {bookType: type, bookSST: type === 'xlsb', compression: true}); }
{
  const r = row('Ranged', 60, 19.99); r[4] = 'Specific Date Range';
  const [wb, ws] = book([[...NAMES, 'Available From', 'Available Till', 'Job Sheet Required', 'Remark'], r, row('Twice', 90, 1250), row('Broken', 60, 'a lot')]);
  ws.G2 = {t: 'n', v: 69796, z: 'yyyy-mm-dd'}; ws.H2 = {t: 'n', v: 69821, z: 'dd.mm.yyyy'}; ws.I2 = {t: 'b', v: false}; ws.J2 = {t: 'n', v: 69796.4375, z: 'yyyy-mm-dd hh:mm'};
  ws.I3 = {t: 'b', v: true}; ws.J3 = {t: 's', v: 'Grüße'}; ws.J4 = {t: 'e', v: 0x2A};
  write(wb, 'services by SheetJS.xlsb', 'xlsb'); 
  write(wb, 'services by SheetJS.xls', 'biff8'); write(wb, 'services by SheetJS, Excel 95.xls', 'biff5'); write(wb, 'services by SheetJS, Excel 2.xls', 'biff2');
}
{
  const [wb, ws] = book([NAMES, row('Error'), row('Hidden', 5), row('Merged'), row(''), row('After', 60, 20)], 'Odd');
  ws.B2 = {t: 'e', v: 0x17}; ws['!rows'] = []; ws['!rows'][2] = {hidden: true}; ws['!cols'] = []; ws['!cols'][3] = {hidden: true, wch: 9}; ws['!merges'] = [{s: {r: 3, c: 0}, e: {r: 4, c: 0}}]; delete ws.A5;
  X.utils.book_append_sheet(wb, X.utils.aoa_to_sheet([['old']]), 'Old');
  wb.Workbook = {Sheets: [{Hidden: 0}, {Hidden: 1}]};
  write(wb, 'oddities by SheetJS.xlsb', 'xlsb'); write(wb, 'oddities by SheetJS.xls', 'biff8');
}
{
  const [wb] = book([['id', 'Status'], [Number('5545974000000393001'), 'Available'], ['5545974000000393002', 'Available']]);
  for (const t of ['xlsb', 'xlsx', 'ods', 'fods']) write(wb, 'numbers as ids by SheetJS.' + t, t);
  write(wb, 'numbers as ids by SheetJS.xls', 'biff8');
}
