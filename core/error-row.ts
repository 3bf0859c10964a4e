/**
 * What is said of every error code. Types and the one way to write a row.
 */

export interface ErrorRow {
  meaning: string
  program: 'exit' | 'retry' | 'drop the item' | 'restart' | 'quarantine' | 'refuse' | 'degrade'
  person: string
  retryable: boolean
  /** Exit status of a command that ends with it (CONTRACT: 0 done, 1 defect, 2 usage, 3 input, 4 model, 5 service). */
  exit: 1 | 2 | 3 | 4 | 5
}

export const row = (
  exit: ErrorRow['exit'],
  program: ErrorRow['program'],
  meaning: string,
  person: string,
): ErrorRow => ({
  meaning,
  program,
  person,
  retryable: program === 'retry' || program === 'restart',
  exit,
})
