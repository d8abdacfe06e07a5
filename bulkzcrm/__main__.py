"""`python -m bulkzcrm` and the installed command are the same."""

from bulkzcrm.cli import main

if __name__ == "__main__":
    main()
