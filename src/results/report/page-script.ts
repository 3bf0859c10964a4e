/**
 * The script of a report, as text: a pointer over the timeline shows the nearest keyframe, a press goes to it. Runs in the reader's browser;
 * the page is whole without it. It reads what the page holds and writes text, never HTML.
 */
export const SCRIPT = `(() => {
  const timeline = document.getElementById('timeline')
  const peek = document.getElementById('peek')
  if (!timeline) return
  const cards = [...document.querySelectorAll('.card')].map((card) => ({ card, ms: +card.dataset.ms }))
  const end = +timeline.dataset.end
  if (cards.length === 0) return
  const [picture, words] = [peek.querySelector('img'), peek.querySelector('p')]
  const nearest = (event) => {
    const box = timeline.getBoundingClientRect()
    const ms = ((event.clientX - box.left) / box.width) * end
    return cards.reduce((best, each) => (Math.abs(each.ms - ms) < Math.abs(best.ms - ms) ? each : best))
  }
  timeline.addEventListener('pointermove', (event) => {
    const { card, ms } = nearest(event)
    const image = card.querySelector('img')
    picture.hidden = !image
    if (image) picture.src = image.src
    words.textContent = card.querySelector('.at').textContent + ' · ' + card.querySelector('.chip').textContent
    peek.hidden = false
    const box = timeline.getBoundingClientRect()
    const at = box.left + (ms / end) * box.width
    const left = Math.max(8, Math.min(document.documentElement.clientWidth - peek.offsetWidth - 8, at - peek.offsetWidth / 2))
    const above = box.top - peek.offsetHeight - 8
    peek.style.transform = 'translate(' + left + 'px,' + (above > 8 ? above : box.bottom + 8) + 'px)'
    timeline.style.setProperty('--at', (100 * ms) / end + '%')
    timeline.classList.add('pointed')
  })
  timeline.addEventListener('pointerleave', () => {
    peek.hidden = true
    timeline.classList.remove('pointed')
  })
  timeline.addEventListener('click', (event) => {
    location.hash = nearest(event).card.id
  })
})()`
