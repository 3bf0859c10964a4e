import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../../../core/errors.ts'
import { elementAt, escapeXml, parseXml, textAt } from '../../../../../streams/sources/onvif/xml.ts'

const errorOf = (text: string): GrabberError => {
  try {
    parseXml(text)
  } catch (error) {
    if (error instanceof GrabberError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a document', () => {
  it('goes by local names, whatever the prefixes, even undeclared ones', () => {
    for (const text of [
      '<a:r xmlns:a="urn:a"><a:b a:token="1" xmlns:x="urn:x">t</a:b></a:r>',
      '<r xmlns="urn:a"><b token="1">t</b></r>',
      '\r\n<?xml version="1.0" encoding="UTF-8"?><x:r><y:b token="1">t</y:b></x:r>',
    ]) {
      const root = parseXml(text)
      expect(root.name).toBe('r')
      expect(elementAt(root, 'b')?.attributes).toEqual(new Map([['token', '1']]))
      expect(textAt(root, 'b')).toBe('t')
    }
  })

  it('has the text of entities that XML itself defines, character references and CDATA', () => {
    const text = '<r> a&amp;b &#x41;&#66; <![CDATA[<c> & ]]><!-- no --><?no no?>d </r>'
    expect(textAt(parseXml(text))).toBe('a&b AB <c> & d')
    expect(textAt(parseXml('<r/>'), 'no', 'such')).toBe('')
  })

  it('may have names that mean something to JavaScript', () => {
    const root = parseXml('<__proto__ constructor="1" __proto__="2"><toString>3</toString></__proto__>')
    expect([root.name, root.attributes.get('__proto__'), textAt(root, 'toString')]).toEqual(['__proto__', '2', '3'])
    expect(elementAt(root, 'valueOf')).toBeUndefined()
  })
})

describe('a hostile document', () => {
  const laughs = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
    (name, i, all) => `<!ENTITY ${name} "${i === 0 ? 'ha' : `&${all[i - 1]};`.repeat(10)}">`,
  )
  it.each([
    ['entities in entities', `<!DOCTYPE r [${laughs.join('')}]><r>&h;</r>`, 'document type'],
    ['an external entity', '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r>&f;</r>', 'document type'],
    ['a document type alone', '<!DOCTYPE html><r/>', 'document type'],
    ['an entity of nobody', '<r>&f;</r>', 'not well-formed'],
    ['elements in elements', '<a>'.repeat(300_000), 'nests more than 40'],
    ['very many elements', `<r>${'<a/>'.repeat(250_000)}</r>`, 'more than 20000'],
    ['no end', '<r>', 'not well-formed'],
    ['two roots', '<r/><r/>', 'not well-formed'],
    ['an attribute twice', '<r a="1" a="2"/>', 'not well-formed'],
    ['a control character', '<r>\u0000</r>', 'not well-formed'],
    ['nothing', ' ', 'not well-formed'],
    ['no XML', 'HTTP/1.1 200 OK', 'not well-formed'],
  ])('%s is refused', (_, text, words) => {
    const error = errorOf(text)
    expect(error.code).toBe('SRC_ONVIF')
    expect(error.message).toContain(words)
  })

  it('says nothing of itself in the error', () => {
    const { line, context } = errorOf('<secret>geheim</oops>')
    expect(`${line} ${JSON.stringify(context)}`).not.toMatch(/secret|geheim|oops/)
  })

  it('ends in an element or a coded error, whatever was changed in it', () => {
    const good = '<?xml version="1.0"?><s:E xmlns:s="urn:s"><s:B a="1">t&amp;<![CDATA[c]]></s:B><!-- x --></s:E>'
    const pieces = fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      ']]>',
      '<!DOCTYPE',
      '<![CDATA[',
      '</s:B>',
      'xmlns',
      '\u0000',
      '&#0;',
      ':',
    )
    const change = fc.tuple(fc.nat(good.length), fc.nat(8), pieces)
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
        const text = changes.reduce((at, [i, cut, piece]) => at.slice(0, i) + piece + at.slice(i + cut), good)
        try {
          expect(typeof parseXml(text).name).toBe('string')
        } catch (error) {
          expect(error).toMatchObject({ code: 'SRC_ONVIF' })
        }
      }),
      { numRuns: 500 },
    )
  })
})

it('escapes what is written, and replaces what XML cannot write', () => {
  const awkward = '<a b="c" d=\'e\'>&amp;\u0000\u001B\uD800\n'
  expect(textAt(parseXml(`<r x="${escapeXml(awkward)}">${escapeXml(awkward)}</r>`))).toBe(
    '<a b="c" d=\'e\'>&amp;\uFFFD\uFFFD\uFFFD',
  )
})
