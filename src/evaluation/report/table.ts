import { html, type Html } from "./html.ts"

export interface TableParts {
  /** For screen readers, when the table scrolls. */
  readonly name: string
  readonly caption: string
  /** The headings of the columns after the first. */
  readonly columns: readonly Html[]
  /** The heading of the first column; none by default. */
  readonly corner?: string
  readonly rows: readonly Html[]
  readonly style?: string
}

/**
 * A table with a caption and a heading for every column, which scrolls sideways on its own, also by keyboard, where it
 * is too wide.
 */
export function table({ name, caption, columns, corner, rows, style = "plain" }: TableParts): Html {
  const first = corner === undefined ? html`<td></td>` : html`<th scope="col">${corner}</th>`
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table class="${style}">
<caption><span>${caption}</span></caption>
<thead><tr>${first}${columns.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>
${rows}</tbody></table></div>`
}

/** A row: its heading and its cells. */
export function row(heading: string | Html, cells: readonly Html[], style = "plain"): Html {
  return html`<tr class="${style}"><th scope="row">${heading}</th>${cells}</tr>
`
}

/** A cell, with a smaller line below where there is one. */
export function cell(content: string | number, below?: string): Html {
  return html`<td>${withBelow(content, below)}</td>`
}

/** A text with a smaller line below it where there is one. */
export function withBelow(content: string | number, below?: string): Html {
  return below === undefined ? html`${content}` : html`${content}<span class="range">${below}</span>`
}
