// AssemblyScript, compiled to WebAssembly by assembly/compile.ts: what src/curation/near/sketcher.ts calls.
export { boilerplateAt, classesAt, configureCuts, configureKeys, keysAt, multipliersAt, bitSketchAt, pointsAt, printAt, reserve, runsAt, shinglesAt, textAt } from "./memory"
export { begin, emit, emptyOut, inputAt, lineEnd, lines, lineStart, namesAt, outAt, prepareRows, rows, rowsOut, used } from "./rows"
export { salt, sketch, spanCount, spans } from "./sketch"
export { cut } from "./units"
