import { hostedContract } from "../hosted-contract.ts"
import { hubCase } from "./hub-case.ts"

hostedContract("hf-jobs", hubCase)
