import { describe, expect, it } from 'vitest'
import {
  type DigestChallenge,
  digestAuthorization,
  digestChallenge,
} from '../../../../../streams/sources/onvif/http-digest.ts'

const credentials = { user: 'Mufasa', password: 'Circle of Life' }

/** RFC 7616 §3.9.1: one request, two challenges. */
const rfc7616 = {
  headers: ['MD5', 'SHA-256'].map(
    (algorithm) =>
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  ),
  use: {
    method: 'GET',
    uri: '/dir/index.html',
    count: 1,
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  },
}
const answer = (header: string | undefined, use = rfc7616.use) =>
  digestAuthorization(digestChallenge(header === undefined ? [] : [header])!, credentials, use)

describe('the response', () => {
  it('is that of RFC 7616 §3.9.1, MD5 and SHA-256', () => {
    const [md5, sha256] = rfc7616.headers
    expect(answer(md5)).toContain('response="8ca523f5e9506fed4657c9700eebdbec"')
    expect(answer(sha256)).toBe(
      'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
        'uri="/dir/index.html", response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
        'algorithm=SHA-256, qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", ' +
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    )
  })

  it('is that of RFC 2617 §3.5, which names no algorithm', () => {
    const header =
      'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    const use = { ...rfc7616.use, cnonce: '0a4f113b' }
    const text = digestAuthorization(digestChallenge([header])!, { user: 'Mufasa', password: 'Circle Of Life' }, use)
    expect(text).toContain('response="6629fae49393a05397450978507c4ef1"')
  })

  it('is that of RFC 2069 as its erratum 749 corrects it, without qop', () => {
    const header = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    const text = digestAuthorization(
      digestChallenge([header])!,
      { user: 'Mufasa', password: 'CircleOfLife' },
      rfc7616.use,
    )
    expect(text).toContain('response="1949323746fe6a43ef61f9606e7febea"')
    expect(text).not.toMatch(/qop|cnonce|nc=|algorithm|opaque/)
  })

  it('counts in hexadecimal', () => {
    expect(answer(rfc7616.headers[0], { ...rfc7616.use, count: 31 })).toContain('nc=0000001f')
  })

  it('quotes what a header cannot hold', () => {
    const challenge: DigestChallenge = { ...digestChallenge(rfc7616.headers)!, realm: 'a "b" \\c' }
    const text = (user: string) => digestAuthorization(challenge, { user, password: '' }, rfc7616.use)
    expect(text('a"b\\c')).toContain('username="a\\"b\\\\c", realm="a \\"b\\" \\\\c"')
    expect(text("Jä(s)'n")).toContain("username*=UTF-8''J%C3%A4%28s%29%27n")
  })
})

describe('the challenge', () => {
  it('is the strongest one, wherever it stands', () => {
    const [md5, sha256] = rfc7616.headers as [string, string]
    for (const headers of [
      [md5, sha256],
      [sha256, md5],
      [`${md5}, ${sha256}`],
      [`Basic realm="x", ${sha256}, ${md5}`],
    ]) {
      expect(digestChallenge(headers)).toEqual({
        realm: 'http-auth@example.org',
        nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
        opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
        algorithm: 'SHA-256',
        qop: true,
        stale: false,
      })
    }
  })

  it('is read however it is written', () => {
    const odd = 'Negotiate abc==, digest Realm = "a, \\"b\\" = c" ,NONCE=dXNlZA==,Stale=TRUE,,QOP=auth,algorithm=md5'
    expect(digestChallenge([odd])).toEqual({
      realm: 'a, "b" = c',
      nonce: 'dXNlZA==',
      opaque: undefined,
      algorithm: 'MD5',
      qop: true,
      stale: true,
    })
  })

  it.each([
    ['nothing', []],
    ['another scheme', ['Basic realm="x", nonce="y"', 'Bearer']],
    ['no nonce', ['Digest realm="x"']],
    [
      'an algorithm that is not known',
      ['Digest realm="x", nonce="y", algorithm=SHA-512-256', 'Digest nonce="y", algorithm=MD5-sess'],
    ],
    ['only the integrity of the body', ['Digest realm="x", nonce="y", qop="auth-int"']],
    ['rubbish', ['"', '=', 'Digest nonce="open', ',,,', 'Digest =x, nonce']],
  ])('is none: %s', (_, headers) => expect(digestChallenge(headers)).toBeUndefined())

  it('ends, however long the header: work that grew with the square would not', () => {
    for (const part of [',', ' ', '"', '\\"', 'a', 'a=', 'a="', 'a ', '=,', 'a="b', ',a="\\']) {
      expect(digestChallenge([part.repeat(100_000)])).toBeUndefined()
    }
  })
})
