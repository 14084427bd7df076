/** Parts that several pages show. */
import { markup, type Html } from './html';

/** @param scope space separated, as the provider spells it */
export function permissionList(scope: string, lead: string, none: string): Html {
  const names = scope.split(' ').filter(Boolean);
  if (names.length === 0) return markup`<p>${none}</p>`;
  return markup`<p>${lead}</p>
    <ul>
      ${names.map((name) => markup`<li><code>${name}</code></li>`)}
    </ul>`;
}
