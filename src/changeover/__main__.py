"""`python -m changeover`: the same program as the `changeover` command."""

from changeover.console.main import main

if __name__ == "__main__":
    main()
