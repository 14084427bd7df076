import { csvLine } from '../../../src/http/connections/csv';

describe('a line of CSV', () => {
  it('separates, quotes and ends as RFC 4180 says', () => {
    expect(csvLine(['a', 1, null, undefined, 'b,c', 'say "hi"', 'two\r\nlines'])).toBe(
      'a,1,,,"b,c","say ""hi""","two\r\nlines"\r\n',
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('%j is shown by a spreadsheet, not run', (value) => {
    expect(csvLine([value]).replace(/^"/, '')).toMatch(/^'/);
  });

  it('quotes what it made harmless where it must', () => {
    expect(csvLine(['=HYPERLINK("https://evil.test","x")'])).toBe(`"'=HYPERLINK(""https://evil.test"",""x"")"\r\n`);
  });
});
