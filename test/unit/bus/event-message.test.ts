import { expect, it } from 'vitest'
import { fromMessage, toMessage } from '../../../src/bus/event-message.ts'
import { motionEvent } from '../../integration/support/nats.ts'

const message = toMessage('grabber.edge.events.lobby.motion', motionEvent(1))

it('comes back from a message as it went in, attributes in the same order', () => {
  expect(JSON.stringify(fromMessage(message))).toBe(JSON.stringify(motionEvent(1)))
})

it.each(['ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-subject', 'ce-time', 'ce-dataschema', 'content-type'])(
  'takes no message without %s',
  (header) => {
    const { [header]: _, ...headers } = message.headers
    expect(fromMessage({ ...message, headers })).toBeUndefined()
  },
)
