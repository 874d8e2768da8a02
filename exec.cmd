@rem The scripts of package.json say `exec node ...`, so that signals reach node and not a shell
@rem in front of it. This is that word for cmd.exe, which has no such command.
@%*
