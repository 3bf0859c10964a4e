/**
 * Sums vitest's JSON reports into the last line of script/test, `N passed, N failed`; exit status 1 when something failed.
 * What failed is named right before it: who reads only the end of a long run reads what to mend.
 * Arguments: `STATUS:FILE`, the exit status of the command that wrote the report. Runs in the test script only.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

const empty: Report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] }

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch (error) {
    process.stderr.write(`no test report in ${file}: ${error instanceof Error ? error.message : error}\n`)
    return empty
  }
}

/** Enough of a message to see what was expected; the rest is above, in the run's own output. */
const FAILURE_LINES = 12

/** Names each test that failed with the beginning of its messages, and each file that has none because it did not load. */
function describeFailures({ testResults }: Report): string[] {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed')
      const file = relative('.', name)
      if (tests.length === 0) return [`failed: ${file} did not load\n${message}`]
      return tests.map(({ fullName, failureMessages }) => `failed: ${file}: ${fullName}\n${failureMessages.join('\n')}`)
    })
    .map((text) => {
      const lines = text.split('\n').filter((line) => !line.includes('node_modules'))
      return lines.slice(0, FAILURE_LINES).join('\n')
    })
}

let passed = 0
let failed = 0
let skipped = 0
for (const argument of process.argv.slice(2)) {
  const [, status, file] = /^(\d+):(.+)$/.exec(argument)!
  const report = readReport(file!)
  // A file that does not load has no tests to fail, and counts as one.
  const unloaded = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  ).length
  passed += report.numPassedTests
  skipped += report.numPendingTests
  // So does a step that failed beside its tests (format, types, an unhandled rejection).
  const failures = report.numFailedTests + unloaded
  for (const text of describeFailures(report)) process.stdout.write(`${text}\n`)
  if (failures === 0 && status !== '0')
    process.stdout.write(`failed: a step beside the tests of ${file}: format, types, or an error outside a test\n`)
  failed += Math.max(failures, status === '0' ? 0 : 1)
}
if (skipped > 0)
  process.stdout.write(
    `${skipped} skipped: what they need is not here (test assets: GRABBER_ASSETS), or they do not apply\n`,
  )
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
