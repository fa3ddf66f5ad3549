// AssemblyScript: what src/curation/sketcher.ts calls.
export {
  boilerplateAt,
  classesAt,
  configure,
  fingerprint,
  keysAt,
  multipliersAt,
  paritiesAt,
  pointsAt,
  printAt,
  reserve,
  shinglesAt,
  sketch,
  spans,
  textAt,
} from "./sketch"
export { begin, emit, emptyOut, inputAt, lineEnd, lines, lineStart, namesAt, outAt, prepareRows, rows, rowsOut, used } from "./rows"
