/** Makes text from devices fit for a terminal, a log and a page: they may name themselves with escape sequences. Pure. */

/** Longest name that is kept, UTF-16 units; ONVIF's `tt:Name` has at most 64. */
const MAX_LENGTH = 200

/** One line without control, format and separator characters, cut to 200 units. */
export function plainText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, MAX_LENGTH)
    .toWellFormed()
}
