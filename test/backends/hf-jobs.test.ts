import { backendContract } from "./contract.ts"
import { hubCase } from "./hf/hub-case.ts"

backendContract("hf-jobs", hubCase)
