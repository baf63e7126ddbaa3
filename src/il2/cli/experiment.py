"""`il2 experiment`: run a virtual experiment and judge its claims."""
