"""`python -m tracing` is the console command `tracing`."""

from tracing.cli import main

if __name__ == "__main__":
    main()
