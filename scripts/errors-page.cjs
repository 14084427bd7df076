const MEANT = {
  retry: 'Try again later; not before `Retry-After`, where one is given',
  reconsent: 'A person consents again',
  reconfigure: 'Correct the request or the setting; the same request fails again',
  report: 'Report it, with the `trace_id`',
};

/**
 * The page of all codes, one row each.
 *
 * @param {Readonly<Record<string, { status: number, disposition: keyof typeof MEANT, meaning: string }>>} errors
 * @returns {string} Markdown
 */
function errorsPage(errors) {
  const rows = Object.entries(errors).map(
    ([code, { status, disposition, meaning }]) => `| \`${code}\` | ${status} | ${meaning} | ${MEANT[disposition]} |`,
  );
  return `# Error codes

Written by \`npm run contract\` from \`src/errors.ts\`; a test compares the two.

Every failure carries one of these codes: an answer of the API in \`errors[].code\`, an exit of the CLI, a failure of a
workflow in its \`type\`. Codes are never renamed and never reused. An answer may have another status than the code's own
where a requirement demands it (a missing attribute of an integration is 422).

| Code | Status | Meaning | What to do |
| ---- | ------ | ------- | ---------- |
${rows.join('\n')}
`;
}

module.exports = { errorsPage };
