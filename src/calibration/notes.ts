/**
 * What a calibration's figures do not tell, in sentences: too little data, dependence, kindness. Pure text.
 */
import type { CalibrationReport } from './calibration-report.ts'

/** Below it the figures describe these people; what they say of others is chance. */
const FEW_PEOPLE = 30

export function notesOf({ data, distributions, wanted, operatingPoints, method }: CalibrationReport): string[] {
  const notes: string[] = []
  const impostors = operatingPoints[0]!.fmr.comparisons
  const genuine = operatingPoints[0]!.fnmr.comparisons
  const { lowestMeasurable, lowestByPairs, fmr } = wanted
  if (impostors === 0) {
    notes.push(
      'No two different people can be compared, so nothing can be said about false matches: enrol at least two.',
    )
  } else if (wanted.threshold === null) {
    notes.push(
      `With ${impostors} impostor comparisons, rates under ${rate(lowestMeasurable!)} cannot be measured; ${rate(fmr)} was ` +
        `asked for, and no threshold is made up for it. It takes ${Math.ceil(3 / fmr)} comparisons at least.`,
    )
  }
  if (lowestByPairs !== null) {
    notes.push(
      `The impostor comparisons are of ${Math.round(3 / lowestByPairs)} pairs of people. Were each pair one comparison, rates ` +
        `under ${rate(Math.min(1, lowestByPairs))} could not be measured; the truth lies between.`,
    )
  }
  if (data.people < FEW_PEOPLE) {
    notes.push(
      `The figures describe these people (${data.people}), and say little of others; from ${FEW_PEOPLE} on they begin to. ` +
        'Relatives and people of like age and origin are more alike than chance has it.',
    )
  }
  if (genuine === 0) {
    notes.push(
      'Nobody has two embeddings to compare, so nothing can be said about false non-matches: enrol more pictures.',
    )
  } else if (!data.sources) {
    notes.push(
      'The gallery does not say which picture an embedding came from: two of one video are more alike than two of ' +
        'different days, so the false non-match rate is too kind where videos were enrolled.',
    )
  }
  if (distributions.some(({ of, from }) => of === 'genuine' && from !== 'pictures')) {
    notes.push(
      'Genuine comparisons of tracks are shown and not counted: within a track light and pose hardly change, and a track is ' +
        'named only when it matches.',
    )
  }
  if (distributions.some(({ from }) => from === 'tracksTogether')) {
    notes.push(
      'Tracks that one camera saw together are two people; a mirror, a picture or a screen in view breaks that.',
    )
  }
  notes.push(
    `Comparisons of one person resemble each other. The interval that drawing people again gives (${method.replicates} ` +
      `times, seed ${method.seed}) is the one to trust where it is wider; it needs ${method.minimumClusters} people.`,
    'Identification multiplies errors: 1 − (1 − FMR)^N assumes independent comparisons. Margin, several faces of a track ' +
      'and liveness stand before a name is confirmed, and are not in these figures.',
  )
  if (data.omitted > 0) notes.push(`${data.omitted} people or tracks were left out, evenly, to keep the time bounded.`)
  return notes
}

/** A share as a person reads it. */
export function rate(value: number): string {
  return `${Number((100 * value).toPrecision(3))} %`
}
