/** The calibration report as one page. Pure text. */
import type { CalibrationReport } from './report.ts'
export function htmlReport(report: CalibrationReport): string {
  return JSON.stringify(report)
}
