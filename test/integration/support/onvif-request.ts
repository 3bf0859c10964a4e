/** What an ONVIF request says, read with namespaces, unlike the product's own reader. Test support. */
import { SaxesParser } from 'saxes'

const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
const SECURITY = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'

export interface SoapRequest {
  namespace: string
  operation: string
  /** Text by `{namespace}Local` of everything below the operation. */
  values: Map<string, string>
  /** The same below `wsse:Security`, with attributes as `{namespace}Local@name`; undefined without one. */
  security: Map<string, string> | undefined
}

/** Throws what is wrong with it: not well-formed, prefixes that are not declared, no SOAP 1.2. */
export function readRequest(text: string): SoapRequest {
  const parser = new SaxesParser({ xmlns: true })
  const path: string[] = []
  const request: SoapRequest = { namespace: '', operation: '', values: new Map(), security: undefined }
  const target = () => {
    if (path[1] === `{${SOAP}}Body` && path.length > 3) return request.values
    if (path[1] === `{${SOAP}}Header` && path[2] === `{${SECURITY}}Security`) return request.security
    return undefined
  }
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a document type')
  })
  parser.on('opentag', ({ uri, local, attributes }) => {
    path.push(`{${uri}}${local}`)
    if (path.length === 1 && path[0] !== `{${SOAP}}Envelope`) throw new Error(`the root is ${path[0]}`)
    if (path.length === 3 && path[1] === `{${SOAP}}Body`) {
      request.namespace = uri
      request.operation = local
    }
    if (path.length === 3 && path[2] === `{${SECURITY}}Security`) request.security = new Map()
    for (const attribute of Object.values(attributes)) {
      if (attribute.prefix !== 'xmlns') target()?.set(`${path.at(-1)}@${attribute.local}`, attribute.value)
    }
  })
  parser.on('text', (more) => {
    const values = target()
    const key = path.at(-1)!
    values?.set(key, (values.get(key) ?? '') + more)
  })
  parser.on('closetag', () => void path.pop())
  parser.write(text).close()
  if (request.operation === '') throw new Error('an empty body')
  return request
}
