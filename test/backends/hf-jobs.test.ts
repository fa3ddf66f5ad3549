import { hubCase } from "./hf/hub-case.ts"
import { hostedContract } from "./hosted-contract.ts"

hostedContract("hf-jobs", hubCase)
