/**
 * The page for reviewers: one item in the middle, large; what helps to decide beside it; the answers at the bottom,
 * where the thumb is.
 */
export const reviewStyle = `
html { scroll-padding: 4.5rem 0 6rem; }
body { display: grid; grid-template: auto 1fr auto / minmax(0, 1fr); min-height: 100vh; min-height: 100dvh; }
.bar { position: sticky; top: 0; z-index: 2; background: var(--page); }
.bar .row { display: flex; align-items: center; gap: 0.35rem 1rem; max-width: 82rem; margin: 0 auto; padding: 0.6rem 1.5rem; }
.bar h1 { font-size: 1rem; font-weight: 620; }
.bar #who:disabled { opacity: 1; }
.bar .progress { margin-left: auto; font-size: 0.9rem; color: var(--soft); }
.meter { height: 2px; background: var(--line); }
.meter span { display: block; height: 100%; width: 0; background: var(--accent); }
.notice { max-width: 82rem; margin: 0.75rem auto 0; padding: 0 1.5rem; }
.notice p { background: var(--open-ground); color: var(--open); border-radius: 10px; padding: 0.75rem 1rem; }

.columns { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 2.5rem; max-width: 82rem; width: 100%; margin: 0 auto; padding: 1.5rem; align-items: start; }
.item:focus { outline: none; }
.overline { font-size: 0.85rem; color: var(--soft); margin-bottom: 0.5rem; }
.item h2 { font-size: 0.85rem; font-weight: 500; color: var(--soft); margin: 1.6rem 0 0.45rem; }
.field + .field { margin-top: 1rem; }
.field .name { font-size: 0.85rem; color: var(--soft); }
.text { white-space: pre-wrap; font-size: 1.4rem; line-height: 1.45; text-wrap: pretty; max-width: 44em; }
.text.long { font-size: 1.08rem; }
.empty { color: var(--soft); font-style: italic; }
.output { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 0.9rem 1.1rem; }
.output .text { font-size: 1.15rem; }
.chip { font-size: 1.15rem; font-weight: 620; }
.chips { display: flex; flex-wrap: wrap; gap: 0.4rem 0.9rem; }
.meaning { color: var(--soft); margin-left: 0.6rem; font-size: 0.95rem; font-weight: 400; }
.arrow { color: var(--soft); margin: 0 0.6rem; }
.change { display: flex; flex-wrap: wrap; align-items: baseline; }
ins { background: var(--good-ground); color: var(--good); text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 3px; border-radius: 3px; }
del { background: var(--bad-ground); color: var(--bad); text-decoration: line-through; border-radius: 3px; }
.difference { white-space: pre-wrap; line-height: 1.6; }
.difference.mono { font-size: 0.95rem; }

.tree { display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); gap: 0.3rem 1.25rem; }
.tree dt { color: var(--soft); font-size: 0.95rem; }
.tree dd { white-space: pre-wrap; font-size: 1.05rem; }
.tree ol { list-style: none; display: grid; gap: 0.5rem; }
.tree ol > li { border-left: 2px solid var(--line); padding-left: 0.8rem; }

.turns { list-style: none; display: grid; gap: 0.75rem; }
.turn { max-width: 46rem; padding: 0.7rem 1rem; border-radius: 12px; background: var(--surface); border: 1px solid var(--line); }
.turn.assistant { margin-left: 2.5rem; }
.turn.system, .turn.tool { background: transparent; border-style: dashed; }
.turn .role { font-size: 0.8rem; color: var(--soft); }
.turn .text { font-size: 1.1rem; }
.call { margin-top: 0.35rem; }

.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
.pair > div { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.15rem; }
.pair .text { font-size: 1.12rem; }
.said { list-style: none; display: grid; gap: 0.35rem; }

.labels { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: 0.5rem; }
.labels button { justify-content: flex-start; align-items: flex-start; padding: 0.55rem 0.75rem; line-height: 1.35; }
.labels .name { font-weight: 600; display: block; }
.labels .meaning { margin: 0; font-size: 0.85rem; display: block; }
.labels button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.labels .mark { color: var(--accent); font-weight: 500; font-size: 0.82rem; }
.filter { max-width: 22rem; margin-bottom: 0.6rem; }

.item .note { margin-top: 1rem; }
.editor { display: grid; gap: 0.9rem; }
.editor h2 { margin-bottom: -0.3rem; }
.editor textarea.answer { font-size: 1.1rem; }
.form { display: grid; gap: 0.6rem; }
.form .leaf { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0 1rem; align-items: baseline; }
.form .leaf > :not(label) { grid-column: 2; }
.form .form { padding-left: 0.9rem; border-left: 2px solid var(--line); }
.form label, .form legend, .label { display: block; font-size: 0.9rem; color: var(--soft); margin-bottom: 0.2rem; }
.form .hint { font-size: 0.82rem; color: var(--soft); margin-top: 0.15rem; }
.form .problem:empty { display: none; }
.form .list { display: grid; gap: 1rem; }
.form .list + button { margin-top: 0.6rem; min-height: 2.25rem; }
.form .entry { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.5rem; align-items: start; }
.problem { color: var(--bad); font-size: 0.9rem; margin-top: 0.25rem; }
[aria-invalid="true"] { border-color: var(--bad); }
.reasons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
dialog .buttons { margin-top: 1rem; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.6rem; }

aside { display: grid; gap: 1.75rem; font-size: 0.95rem; position: sticky; top: 4rem; max-height: calc(100vh - 9rem); overflow-y: auto; padding-right: 0.25rem; }
aside h2 { font-size: 0.85rem; font-weight: 500; color: var(--soft); margin-bottom: 0.4rem; }
aside summary { cursor: pointer; color: var(--soft); font-size: 0.85rem; font-weight: 500; margin-bottom: 0.4rem; }
.guideline { white-space: pre-wrap; text-wrap: pretty; }
.nearest { list-style: none; display: grid; gap: 0.9rem; }
.nearest li { border-left: 2px solid var(--line); padding-left: 0.8rem; }
.nearest .input { display: -webkit-box; -webkit-line-clamp: 4; -webkit-box-orient: vertical; overflow: hidden; white-space: pre-wrap; }
.nearest .gold { font-weight: 620; overflow-wrap: anywhere; white-space: pre-wrap; margin-top: 0.15rem; display: -webkit-box; -webkit-line-clamp: 5; -webkit-box-orient: vertical; overflow: hidden; }

.actions { position: sticky; bottom: 0; z-index: 2; background: var(--surface); border-top: 1px solid var(--line); padding-bottom: env(safe-area-inset-bottom); }
.actions .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem; max-width: 82rem; margin: 0 auto; padding: 0.75rem 1.5rem; }
.actions button:not(.plain) + .plain { margin-left: 1rem; }
.actions .saved { margin-left: auto; color: var(--soft); font-size: 0.9rem; }
.done { padding: 12vh 0; max-width: 34rem; }
.done p:first-child { font-size: 1.5rem; font-weight: 620; margin-bottom: 0.5rem; }
.keys kbd + kbd { margin-left: 0.25rem; }
.keys { display: grid; grid-template-columns: max-content 1fr; gap: 0.55rem 1.1rem; margin: 1rem 0 1.25rem; align-items: baseline; }
.name-form { display: grid; gap: 0.9rem; }

@media (max-width: 60rem) {
  .columns { grid-template-columns: minmax(0, 1fr); gap: 2rem; }
  aside { position: static; max-height: none; border-top: 1px solid var(--line); padding-top: 1.25rem; }
}
@media (max-width: 40rem) {
  .bar .row { padding: 0.4rem 0.9rem; gap: 0.25rem 0.5rem; }
  .bar .task { display: none; }
  .bar .progress { margin: 0; flex: 1 1 0; min-width: 0; font-size: 0.82rem; line-height: 1.3; }
  .bar button { padding: 0.25rem 0.4rem; font-size: 0.9rem; max-width: 7rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
  .columns { padding: 1rem 0.9rem; }
  .text { font-size: 1.15rem; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .labels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .labels .meaning { display: none; }
  .labels button { min-height: 2.6rem; }
  .turn.assistant { margin-left: 1rem; }
  .form .leaf { grid-template-columns: minmax(0, 1fr); }
  .form .leaf > :not(label) { grid-column: 1; }
  .tree { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .tree dd { margin-bottom: 0.5rem; }
  .actions .row { padding: 0.5rem 0.9rem; gap: 0.4rem; }
  .actions button { flex: 1 1 auto; padding: 0.35rem 0.5rem; min-height: 2.75rem; gap: 0.35rem; }
  .actions .saved { flex-basis: 100%; margin: 0; text-align: center; font-size: 0.82rem; min-height: 1.2em; }
}
@media (hover: none) { .actions kbd, .labels kbd, .reasons kbd { display: none; } }
`
