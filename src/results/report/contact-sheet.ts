/**
 * The contact sheet of a report: every keyframe with when, why and how good, by shot. Pure.
 */
import { type KeyframeRecord, selectionReasons } from '../../../core/keyframe.ts'
import { escaped } from '../../page/html.ts'
import { clock, percent, plural, reasonTone, reasonWords } from './words.ts'

/** Small picture of a keyframe, as a `data:` address; `undefined` where there is none. */
export type Thumbnails = ReadonlyMap<number, string>

export function contactSheet(keyframes: readonly KeyframeRecord[], thumbnails: Thumbnails): string {
  if (keyframes.length === 0) return '<p class="soft">No picture was chosen. What spoke against them stands below.</p>'
  const scenes = Map.groupBy(keyframes, ({ scene }) => scene)
  return [...scenes]
    .map(([scene, own]) => {
      const head = scenes.size > 1 ? sceneHead(scene, own) : ''
      return `<section class="scene">${head}<div class="sheet">${own.map((keyframe) => card(keyframe, thumbnails)).join('\n')}</div></section>`
    })
    .join('\n')
}

function sceneHead(scene: number, own: readonly KeyframeRecord[]): string {
  const span = `${clock(own[0]!.ptsMs)}–${clock(own.at(-1)!.ptsMs)}`
  return `<h3>Shot ${scene + 1} <small>${span} · ${plural(own.length, 'keyframe')}</small></h3>`
}

function card(keyframe: KeyframeRecord, thumbnails: Thumbnails): string {
  const { seq, ptsMs, file, width, height, reason, evidence, score, view } = keyframe
  const at = clock(ptsMs, true)
  const why = selectionReasons[reason]
  const source = thumbnails.get(seq)
  const picture = source
    ? `<img src="${source}" alt="Keyframe at ${at}: ${escaped(why)}" width="${width}" height="${height}" loading="lazy" decoding="async">`
    : `<span class="blank">no thumbnail</span>`
  const parallax = view ? ` · parallax ${percent(view.parallaxRatio)}` : ''
  const details = `${why}. ${evidence}`
  return `<figure class="card" id="k${seq}" data-ms="${ptsMs}"><a href="images/${encodeURIComponent(file)}" style="aspect-ratio:${width}/${height}" title="${escaped(details)}">${picture}</a>
<figcaption><span class="at">${at}</span><span class="chip ${reasonTone(reason)}">${reasonWords[reason]}</span><span class="worth" title="Score ${score.score.toFixed(2)}${parallax}"><i style="width:${Math.round(100 * score.score)}%"></i></span><span class="number">${score.score.toFixed(2)}</span></figcaption></figure>`
}
