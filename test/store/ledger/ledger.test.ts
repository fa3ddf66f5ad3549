import { pathToFileURL } from "node:url"
import { join } from "node:path"
import { ledgerContract } from "./contract.ts"

const opener = (name: string) => pathToFileURL(join(import.meta.dirname, name)).href

ledgerContract("the ledger in SQLite", opener("open-sqlite.ts"))
ledgerContract("the same, with delays that nobody foresees", opener("open-delayed.ts"))
