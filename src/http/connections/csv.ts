/** Comma-separated values (RFC 4180) that a spreadsheet shows and does not run. */

/** What a spreadsheet takes for the beginning of a formula, or lets stand before one. */
const FORMULA = /^[=+\-@\t\r]/;

export type Cell = string | number | null | undefined;

function cell(value: Cell): string {
  const text = String(value ?? '');
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** @returns one record with its line end */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cell).join(',')}\r\n`;
