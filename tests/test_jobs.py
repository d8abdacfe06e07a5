"""Job files: read whole, with paths from their own folder, or refused with the file, the key and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkzcrm.errors import JobError
from bulkzcrm.jobs import load_job
from bulkzcrm.run.options import RunOptions

ONE_STEP = '[[step]]\noperation = "create-services"\nsource = "services.csv"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "a folder with blanks"
    place.mkdir()
    return place


@pytest.fixture
def load(folder: Path):
    def write_and_load(text: str, name: str = "prices.toml"):
        file = folder / name
        file.write_text(text, encoding="utf-8")
        return load_job(file)

    return write_and_load


@pytest.fixture
def refusal(load):
    def message_of(text: str) -> str:
        with pytest.raises(JobError) as caught:
            load(text)
        assert caught.value.exit_status == 2
        assert "prices.toml" in caught.value.message
        assert caught.value.message.endswith(".")
        assert caught.value.cure[-1] in ".?”"
        return str(caught.value)

    return message_of


class TestReading:
    def test_the_least_that_is_needed_is_a_step_with_operation_and_source(self, load, folder):
        job = load(ONE_STEP)
        (step,) = job.steps
        assert (step.operation, step.source, step.options) == ("create-services", folder / "services.csv", RunOptions())
        assert (job.name, job.file, job.formats) == ("prices", folder / "prices.toml", ("csv",))
        assert (job.yes, job.goes_on_after_failed_rows, job.profile, job.output) == (False, False, None, None)

    def test_everything_that_a_job_says_of_itself_is_read(self, load, folder):
        job = load(
            'name = "price list"\nyes = true\non_failed_rows = "continue"\nprofile = "main"\n'
            f'output = "reports/today"\nformat = "csv, xlsx"\n{ONE_STEP}'
        )
        assert (job.name, job.yes, job.goes_on_after_failed_rows, job.profile) == ("price list", True, True, "main")
        assert (job.output, job.formats) == (folder / "reports" / "today", ("csv", "xlsx"))

    def test_options_have_the_names_of_the_command_line(self, load):
        (step,) = load(
            ONE_STEP + 'map = { "Our name" = "Service_Name" }\nset = { Location = "Client Address" }\n'
            'ignore_column = ["Notes", "B"]\ndate_format = "dmy"\nbatch_size = 50\ntimeout = 30\nmax_errors = "5%"\n'
            "triggers = false\n"
        ).steps
        assert step.options == RunOptions(
            mapping={"Our name": "Service_Name"},
            constants={"Location": "Client Address"},
            ignored=("Notes", "B"),
            date_format="dmy",
            batch_size=50,
            timeout=30.0,
            max_errors="5%",
            triggers=False,
        )

    def test_one_column_to_ignore_needs_no_list_and_a_number_of_errors_no_quotation_marks(self, load):
        (step,) = load(ONE_STEP + 'ignore_column = "Notes"\nmax_errors = 0\n').steps
        assert (step.options.ignored, step.options.max_errors) == (("Notes",), "0")

    def test_an_option_of_the_job_holds_for_all_steps_unless_a_step_says_otherwise(self, load):
        job = load(
            f'time_zone = "Asia/Kolkata"\nbatch_size = 10\n{ONE_STEP}batch_size = 20\n'
            '[[step]]\noperation = "update-services"\nsource = "changes.csv"\n'
        )
        assert [step.options.batch_size for step in job.steps] == [20, 10]
        assert {step.options.time_zone for step in job.steps} == {"Asia/Kolkata"}

    def test_steps_keep_their_order_and_sources_are_found_from_the_jobs_own_folder(self, load, folder, monkeypatch):
        monkeypatch.chdir(folder.parent)
        elsewhere = (folder.parent / "exports" / "all.csv").as_posix()
        job = load(
            ONE_STEP + '[[step]]\noperation = "update-services"\nsource = "../changes.csv"\n'
            f'[[step]]\noperation = "set-service-status"\nsource = "{elsewhere}"\n'
        )
        assert [step.operation for step in job.steps] == ["create-services", "update-services", "set-service-status"]
        assert [step.source for step in job.steps] == [
            folder / "services.csv",
            folder / ".." / "changes.csv",
            Path(elsewhere),
        ]
        assert all(step.source.is_absolute() for step in job.steps)


class TestRefusing:
    def test_a_file_that_is_not_there(self, folder):
        with pytest.raises(JobError, match=r"no job file .*missing\.toml"):
            load_job(folder / "missing.toml")

    def test_a_file_that_cannot_be_read_as_text(self, folder):
        file = folder / "prices.toml"
        file.write_bytes(b'name = "\xff\xfe"')
        with pytest.raises(JobError, match="UTF-8"):
            load_job(file)
        with pytest.raises(JobError, match=r"cannot be read|no job file"):
            load_job(folder)

    def test_what_is_no_toml_names_the_line(self, refusal):
        assert "line 2" in refusal("yes = true\nname = \n")

    @pytest.mark.parametrize(
        "text", ["", 'name = "empty"\n', "step = []\n", "step = 3\n", 'step = ["create-services"]\n']
    )
    def test_a_job_without_steps(self, refusal, text):
        assert "no steps" in refusal(text)

    @pytest.mark.parametrize(
        ("step", "lacking"),
        [('operation = "create-services"', "lacks source"), ('source = "a.csv"', "lacks operation")],
    )
    def test_a_step_without_operation_or_source_is_told_by_its_number(self, refusal, step, lacking):
        assert f"step 2 {lacking}" in refusal(f"{ONE_STEP}[[step]]\n{step}\n")

    def test_an_operation_that_there_is_not_suggests_the_nearest(self, refusal):
        said = refusal(ONE_STEP.replace("create-services", "create-service"))
        assert "“create-service”" in said
        assert "Did you mean create-services?" in said
        assert "update-business-hours" in refusal(ONE_STEP.replace("create-services", "xyz"))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (f"yess = true\n{ONE_STEP}", "“yess”"),
            (f'{ONE_STEP}mapp = {{ A = "Price" }}\n', "“mapp”"),
            (f'{ONE_STEP}mapping = {{ A = "Price" }}\n', "“mapping”"),
            (f"{ONE_STEP}on_failed_rows = 1\n", "“on_failed_rows”"),
        ],
    )
    def test_a_key_without_meaning_is_named(self, refusal, text, said):
        assert said in refusal(text)

    def test_a_misspelt_key_suggests_the_nearest(self, refusal):
        assert "Did you mean date_format?" in refusal(f'{ONE_STEP}date_fromat = "dmy"\n')

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (f'on_failed_rows = "ignore"\n{ONE_STEP}', "“ignore”"),
            (f'yes = "yes"\n{ONE_STEP}', "true nor false"),
            (f"name = 5\n{ONE_STEP}", "name is no text"),
            (f"profile = true\n{ONE_STEP}", "profile is no text"),
            (f"output = 1\n{ONE_STEP}", "output is no text"),
            (f'{ONE_STEP}batch_size = "many"\n', "step 1"),
            (f"{ONE_STEP}set = 3\n", "step 1"),
            (f"{ONE_STEP}triggers = 1\n", "step 1"),
            ('[[step]]\noperation = 3\nsource = "a.csv"\n', "operation is no text"),
        ],
    )
    def test_a_value_of_the_wrong_kind_is_named(self, refusal, text, said):
        assert said in refusal(text)
