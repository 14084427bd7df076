/** The style of all pages: one constant text, so that the content security policy can name its hash. */
import { createHash } from 'node:crypto';

export const STYLE = `
:root { color-scheme: light dark; --line: #7a8599; --accent: #1f5fd0; --on-accent: #fff; --soft: #f2f5fa; }
@media (prefers-color-scheme: dark) { :root { --accent: #9cc2ff; --on-accent: #0b1526; --soft: #1b2330; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; font: 1.0625rem/1.55 system-ui, sans-serif; }
main { max-width: 36rem; margin: 6vh auto 0; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, ul { margin: 0 0 1rem; overflow-wrap: anywhere; }
ul { padding-left: 1.25rem; }
code, input { font: .95em ui-monospace, monospace; }
button { font: inherit; font-weight: 600; padding: .7rem 1.3rem; border: 0; border-radius: .5rem; cursor: pointer;
  background: var(--accent); color: var(--on-accent); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
label { display: block; font-weight: 600; }
input { width: 100%; padding: .5rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--soft);
  color: inherit; }
.aside { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9375rem; }
footer { max-width: 36rem; margin: 2.5rem auto 0; font-size: .875rem; color: var(--line); }
`;

export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
