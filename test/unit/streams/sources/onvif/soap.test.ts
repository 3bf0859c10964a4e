import { expect, it } from 'vitest'
import { envelope, readSoap } from '../../../../../streams/sources/onvif/soap.ts'
import { elementAt } from '../../../../../streams/sources/onvif/xml.ts'

const fault = (body: string) => {
  const { content } = readSoap(`<e:Envelope><e:Body><e:Fault>${body}</e:Fault></e:Body></e:Envelope>`)
  if (!('fault' in content)) throw new Error('no fault')
  return content.fault
}

it('reads what it writes', () => {
  const { header, content } = readSoap(envelope('<a xmlns="urn:a"/>', '<b xmlns="urn:b"/>'))
  expect('element' in content && content.element.name).toBe('a')
  expect(elementAt(header, 'b')).toBeDefined()
  expect(readSoap(envelope('<a/>')).header).toBeUndefined()
})

it('reads faults of SOAP 1.2, with subcodes in subcodes', () => {
  const inner =
    '<e:Subcode><e:Value>ter:InvalidArgVal</e:Value><e:Subcode><e:Value> ter:NoProfile </e:Value></e:Subcode></e:Subcode>'
  expect(fault(`<e:Code><e:Value>e:Sender</e:Value>${inner}</e:Code>`)).toEqual({
    codes: ['Sender', 'InvalidArgVal', 'NoProfile'],
    unauthorized: false,
  })
})

it.each([
  ['ONVIF', '<Code><Value>s:Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code>'],
  ['WS-Security', '<Code><Value>s:Sender</Value><Subcode><Value>wsse:FailedAuthentication</Value></Subcode></Code>'],
  ['SOAP 1.1', '<faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring>'],
  ['words alone', '<Code><Value>s:Sender</Value></Code><Reason><Text>Sender not Authorized</Text></Reason>'],
  ['SOAP 1.1, words alone', '<faultcode>s:Client</faultcode><faultstring>Authentication failed</faultstring>'],
])('knows that other credentials are wanted: %s', (_, body) => expect(fault(body).unauthorized).toBe(true))

it('keeps a device from writing what it likes into a code', () => {
  expect(fault('<Code><Value>s:Sender\u009b31m</Value><Subcode><Value>ter:a b</Value></Subcode></Code>').codes).toEqual(
    ['31m', 'b'],
  )
  const deep = '<Subcode><Value>x</Value>'.repeat(30)
  expect(fault(`<Code><Value>y</Value>${deep}${'</Subcode>'.repeat(30)}</Code>`).codes).toHaveLength(4)
})

it.each(['<html><body/></html>', '<Envelope/>', '<Envelope><Body/></Envelope>', '<Envelope><Header/></Envelope>', ''])(
  'takes no %s',
  (text) => expect(() => readSoap(text)).toThrow(expect.objectContaining({ code: 'SRC_ONVIF' })),
)
