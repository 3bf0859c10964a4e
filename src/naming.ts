/**
 * A person without a name gets one: checked against the people who are known, told for every track of theirs that the
 * history holds, then enrolled. Runs in the daemon, and in commands that hold the lock.
 * In this order, so that one who was cut off can be named again: an event that is there already is dropped by its id.
 */
import { GrabberError } from '../core/errors.ts'
import { type CloudEvent, eventId } from '../core/event.ts'
import type { NewName, Subject } from '../core/ports.ts'
import { nearest } from '../streams/analysis/likeness.ts'
import type { AnonymousHistory } from './store/anonymous-history.ts'
import { checkSubjectId } from './store/embedding.ts'
import { type SqliteGallery, unknownSubject } from './store/gallery.ts'
import type { PeopleStore } from './store/people-store.ts'

export interface NamingParts {
  node: string
  people: PeopleStore
  gallery: SqliteGallery
  history: AnonymousHistory
  /** Stores and publishes. */
  submit(event: CloudEvent): void
  /** A track without an end that was told of since then may still be open: its session finds the name by itself. */
  openSinceMs: number
  /** Cosine from which somebody else looks like this person. */
  matchThreshold: number
}

/**
 * GAL_UNKNOWN_SUBJECT without such a person, GAL_LOOKS_LIKE when it looks like another one who is known, GAL_DISAGREE when
 * it does not look like the one who is called so already.
 */
export async function nameVisitor(parts: NamingParts, visitor: string, given: NewName): Promise<Subject> {
  const { people, gallery, history, submit } = parts
  checkSubjectId(given.subject)
  if (people.reader.visitor(visitor) === undefined) throw unknownSubject()
  const looks = people.reader.embeddings(visitor)
  if (!given.allowSimilar) await refuseLikeness(parts, looks, given.subject)
  if (!given.allowDifferent) refuseDifference(parts, looks, given.subject)
  const name = given.name ?? people.reader.subject(given.subject)?.name ?? null
  for (const event of await history.lastWords(visitor)) {
    if (hasEnded(event, parts.openSinceMs)) submit(renamed(event, { subject: given.subject, name }, parts.node))
  }
  return gallery.adopt(visitor, given.subject, given.name)
}

async function refuseLikeness(
  { gallery, matchThreshold }: NamingParts,
  embeddings: readonly Float32Array[],
  subject: string,
): Promise<void> {
  for (const embedding of embeddings) {
    // The nearest who is not the one meant.
    const like = (await gallery.search(embedding, 2)).find((hit) => hit.subject !== subject)
    if (like && like.similarity >= matchThreshold) {
      const message = `this person looks like ${like.subject}, who is enrolled (${like.similarity.toFixed(3)})`
      throw new GrabberError('GAL_LOOKS_LIKE', message, {
        remedy: `name it ${like.subject}, or say \`--allow-similar\` when they are two people`,
      })
    }
  }
}

/**
 * The match threshold, and not the lower one by which single pictures are enrolled: these are templates of whole tracks, and what
 * a search would not call this person must not become part of it.
 */
function refuseDifference(
  { people, matchThreshold }: NamingParts,
  embeddings: readonly Float32Array[],
  subject: string,
): void {
  const own = people.reader.subject(subject) ? people.reader.embeddings(subject) : []
  const alike = Math.max(...embeddings.map((embedding) => nearest(embedding, own)))
  if (own.length === 0 || alike >= matchThreshold) return
  const message = `this person is unlike ${subject} as enrolled (${alike.toFixed(3)})`
  throw new GrabberError('GAL_DISAGREE', message)
}

/** One that was named already, or that turned out to be somebody who is known, stays what it is. */
function hasEnded({ time, data }: CloudEvent<'face.track'>, openSinceMs: number): boolean {
  return data.identity.subject === undefined && (data.phase === 'end' || Date.parse(time) < openSinceMs)
}

/** The next revision of the track's last word. Its id and bytes follow from that word and the name alone. */
function renamed(
  event: CloudEvent<'face.track'>,
  { subject, name }: Pick<NewName, 'subject' | 'name'>,
  node: string,
): CloudEvent<'face.track'> {
  const { trackId, identity } = event.data
  const { anonymous } = identity
  const revision = event.data.revision + 1
  const named = { status: 'confirmed', subject, ...(name === null ? {} : { name }), anonymous } as const
  return {
    ...event,
    id: eventId(node, event.subject, 'face.track', `${trackId}/${revision}/named`),
    data: { ...event.data, phase: 'update', revision, identity: named },
  }
}
