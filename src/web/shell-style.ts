import { palette, typeface } from "../evaluation/report/style.ts"

/**
 * What every local page looks like: the colours and the typeface of the report, buttons that show their keys, a visible
 * focus.
 */
export const shellStyle = `
${palette}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 ${typeface};
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
h1, h2, h3, p, ol, ul, dl, dd, fieldset { margin: 0; padding: 0; }
fieldset { border: 0; min-width: 0; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.soft { color: var(--soft); }
.quiet { color: var(--soft); font-size: 0.9rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.mono { font: 0.92em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; }
button, input, select, textarea { font: inherit; color: inherit; }
button {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.6rem; min-height: 2.75rem; padding: 0.4rem 0.95rem;
  background: var(--surface); border: 1px solid var(--strong-line); border-radius: 10px; cursor: pointer; text-align: start;
}
button:hover { border-color: var(--soft); }
button:disabled { opacity: 0.55; cursor: default; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--surface); font-weight: 600; }
button.plain { border-color: transparent; background: none; min-height: 2.25rem; padding: 0.25rem 0.6rem; color: var(--soft); }
button.plain:hover { color: var(--text); border-color: var(--line); }
kbd {
  font: 600 0.78rem/1 ${typeface}; display: inline-block; min-width: 1.5em; padding: 0.3em 0.4em; text-align: center;
  border: 1px solid var(--strong-line); border-bottom-width: 2px; border-radius: 5px; background: var(--page); color: var(--soft);
}
button.main kbd { background: transparent; border-color: currentColor; color: inherit; }
input, select, textarea { width: 100%; padding: 0.55rem 0.75rem; background: var(--surface); border: 1px solid var(--strong-line); border-radius: 8px; }
textarea { display: block; resize: vertical; line-height: 1.5; }
dialog {
  color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 14px; padding: 1.5rem 1.75rem;
  max-width: min(34rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); overflow: auto;
}
dialog::backdrop { background: rgb(0 0 0 / 0.35); }
@media (prefers-reduced-motion: no-preference) { button, .meter span { transition: background-color 120ms, border-color 120ms, width 200ms; } }
`
