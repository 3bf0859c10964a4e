import { expect, it } from 'vitest'
import { parseNatsUrl } from '../../../src/bus/nats-url.ts'

it.each([
  ['nats://127.0.0.1', { servers: ['127.0.0.1:4222'], shown: '127.0.0.1:4222' }],
  ['nats://a:1, nats://b:2', { servers: ['a:1', 'b:2'], shown: 'a:1,b:2' }],
  ['nats://anna:h%40sh@a:1', { servers: ['a:1'], shown: 'a:1', user: 'anna', pass: 'h@sh' }],
  ['nats://secret@a:1', { servers: ['a:1'], shown: 'a:1', token: 'secret' }],
  ['tls://a:1', { servers: ['a:1'], shown: 'a:1', tls: {} }],
  ['nats://[::1]:4333', { servers: ['[::1]:4333'], shown: '[::1]:4333' }],
])('reads %s', (url, address) => {
  expect(parseNatsUrl(url)).toEqual(address)
})

it.each(['', 'auto', 'nats://', 'localhost:4222', 'http://u:hush@a', 'nats://a:1,'])('refuses %j', (url) => {
  expect(() => parseNatsUrl(url)).toThrow(
    expect.objectContaining({ code: 'CFG_INVALID', message: expect.not.stringContaining('hush') }),
  )
})
