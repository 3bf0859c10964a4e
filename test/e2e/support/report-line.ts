/** What `extract`, `batch` and `watch` print with `--json`. */
import type { FileReport, TotalReport } from '../../../src/jobs/file-report.ts'

/** A line: of a recording, or of all together. */
export type ReportLine = Partial<FileReport> & { total?: TotalReport }
