/**
 * Clips in which something happens to faces, made from the real ones by ffmpeg: they are covered, they cross, they are cut
 * away. What happens when is stated here, and the tests state what becomes of the tracks.
 * Each is encoded once and kept in the system's temporary folder, under a name that changes with what it is made of.
 */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { kept } from './clip-cache.ts'
import { asl } from './clips.ts'

const ENCODER = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10', '-pix_fmt', 'yuv420p', '-an']

/** `graph` over `inputs` gives `[v]`. */
export function staged(name: string, inputs: readonly string[], graph: string, seconds: number): string {
  const parts = inputs.map((input) => `${input} ${statSync(input).size}`)
  return kept(name, 'mp4', [...parts, graph, seconds, ...ENCODER], (path) => {
    const sources = inputs.flatMap((input) => ['-i', input])
    const output = ['-map', '[v]', '-t', String(seconds), ...ENCODER, '-f', 'mp4', path]
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...sources, '-filter_complex', graph, ...output], { timeout: 120_000 })
  })
}

/** Forth, back and forth again: three times as long, and without a cut. */
const pingPong = (input: string, label: string) =>
  `[${input}]split=3[${label}1][${label}2][${label}3];[${label}2]reverse[${label}r];[${label}1][${label}r][${label}3]concat=n=3[${label}]`

/** When the face of `covered` is hidden from, s. */
export const COVERED_AT = 2

/** One person, whose face and shoulders are behind a board from 2 s on for `seconds`; 6.5 s. */
export function covered(name: string, seconds: number): string {
  const end = (COVERED_AT + seconds).toFixed(2)
  const board = `drawbox=x=200:y=40:w=240:h=260:color=0x505860:t=fill:enable='gte(t,${COVERED_AT})*lt(t,${end})'`
  return staged(`covered-${name}-${seconds}`, [asl(name)], `${pingPong('0:v', 'p')};[p]${board}[v]`, 6.5)
}

/** One person, past whom a board is carried from left to right between 1.4 s and 3.2 s; 5 s. */
export function passed(name: string): string {
  const board = `color=c=0x505860:s=200x480:r=30[b];[p][b]overlay=x='-200+480*(t-1.4)':y=0:eval=frame:shortest=1[v]`
  return staged(`passed-${name}`, [asl(name)], `${pingPong('0:v', 'p')};${board}`, 5)
}

/** Left edge of each person's cut-out over time, in px of 1280; faces are 150 px further right. */
const ways = {
  /** They walk past one another. */
  pass: ['980*t/6', '980-980*t/6'],
  /** They meet, one hides behind the other for less than a second, and both go back. */
  meet: ['if(lt(t,2.4),430*t/2.4,430-430*(t-2.4)/2.4)', 'if(lt(t,2.4),980-430*t/2.4,550+430*(t-2.4)/2.4)'],
  /** Both go behind a wall in the middle and come out on the other side. */
  wallPass: ['20+360*(t-0.2)', '960-360*(t-0.2)'],
  /** Both go behind the wall and come back. */
  wallMeet: ['if(lt(t,1.5),20+300*(t-0.2),410-300*(t-1.5))', 'if(lt(t,1.5),960-300*(t-0.2),570+300*(t-1.5))'],
  /** The first goes behind the wall and stays; the second comes out at the other side. */
  wallSwap: ['min(20+300*(t-0.2),490)', 'if(lt(t,2),490,490+360*(t-2))'],
} as const

export type Way = keyof typeof ways

/** Two people cut out of their clips, the second behind the first, on a grey ground of 1280×720; 4.8 or 6 s. */
export function crossing(way: Way, front: string, back: string): string {
  const [x, behind] = ways[way]
  const wall = way.startsWith('wall') ? ',drawbox=x=510:y=0:w=260:h=720:color=0x605040:t=fill' : ''
  const graph = [
    pingPong('0:v', 'f'),
    pingPong('1:v', 'b'),
    '[f]crop=300:480:170:0[front]',
    '[b]crop=300:480:170:0[back]',
    'color=c=0x8a8f86:s=1280x720:r=30[ground]',
    `[ground][back]overlay=x='${behind}':y=200:eval=frame[half]`,
    `[half][front]overlay=x='${x}':y=200:eval=frame:shortest=1${wall}[v]`,
  ].join(';')
  return staged(`${way}-${front}-${back}`, [asl(front), asl(back)], graph, way === 'pass' ? 6 : 4.6)
}

/** One scene after the other; `close` is the same room, nearer and from another side. */
export function cut(...scenes: { name: string; close?: true }[]): string {
  const parts = scenes.map(({ close }, index) =>
    close
      ? `[${index}:v]hflip,crop=400:300:120:20,scale=640:480,setsar=1[s${index}]`
      : `[${index}:v]setsar=1[s${index}]`,
  )
  const joined = `${scenes.map((_, index) => `[s${index}]`).join('')}concat=n=${scenes.length}[v]`
  const names = scenes.map(({ name, close }) => (close ? `${name}.close` : name))
  return staged(
    `cut-${names.join('-')}`,
    scenes.map(({ name }) => asl(name)),
    [...parts, joined].join(';'),
    30,
  )
}

/** One person, and the light changes: it goes out at 1 s and comes back at 2 s; a flash at 3 s. */
export function lit(name: string): string {
  const light = [
    "eq=brightness=-0.25:contrast=0.5:enable='between(t,1,2)'",
    "eq=brightness=0.5:enable='between(t,3,3.05)'",
  ].join(',')
  return staged(`lit-${name}`, [asl(name)], `${pingPong('0:v', 'p')};[p]${light}[v]`, 5)
}
