from il2.cli.app import main

main()
