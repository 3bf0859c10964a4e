/**
 * The two media services of ONVIF as data: Media2 (`tr2`, H.265 and Profile T) and Media1 (`trt`, Profile S). What to ask, and
 * how to read it. Pure; shapes from the WSDLs of onvif.org (ver10/media, ver20/media) and from answers of real devices.
 */
import { plainText } from './plain-text.ts'
import { elementAt, elementsNamed, escapeXml, textAt, type XmlElement } from './xml.ts'

export interface OnvifProfile {
  token: string
  name: string
  /** `H264`, `H265`, `JPEG` …, as the device writes it; `null` when it does not say. */
  encoding: string | null
  /** px; `null` when the device does not say. */
  width: number | null
  height: number | null
  /** The encoder's limit, frames a second. */
  fps: number | null
}

/** How RTP comes: inside the RTSP connection, or in datagrams of its own. */
export type RtpTransport = 'tcp' | 'udp'

export interface Operation {
  /** Local name; the answer's is this and `Response`. */
  name: string
  namespace: string
  /** The content of its element; prefix `t` is the operation's own namespace, `tt` ONVIF's schema. */
  content: string
}

export interface MediaService {
  version: 1 | 2
  namespace: string
  getProfiles: Operation
  readProfiles(response: XmlElement): OnvifProfile[]
  getStreamUri(token: string, transport: RtpTransport): Operation
  readStreamUri(response: XmlElement): string
}

const MEDIA1 = 'http://www.onvif.org/ver10/media/wsdl'
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl'

export const media1: MediaService = {
  version: 1,
  namespace: MEDIA1,
  getProfiles: { name: 'GetProfiles', namespace: MEDIA1, content: '' },
  readProfiles: (response) =>
    elementsNamed(response, 'Profiles').map((profile) =>
      readProfile(profile, elementAt(profile, 'VideoEncoderConfiguration')),
    ),
  getStreamUri: (token, transport) => ({
    name: 'GetStreamUri',
    namespace: MEDIA1,
    // `RTSP` means RTP within the RTSP connection; `TCP` is something else that nobody has (media.wsdl, tt:TransportProtocol).
    content:
      '<t:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport>' +
      `<tt:Protocol>${transport === 'tcp' ? 'RTSP' : 'UDP'}</tt:Protocol></tt:Transport></t:StreamSetup>` +
      `<t:ProfileToken>${escapeXml(token)}</t:ProfileToken>`,
  }),
  readStreamUri: (response) => textAt(response, 'MediaUri', 'Uri'),
}

export const media2: MediaService = {
  version: 2,
  namespace: MEDIA2,
  // Without a type the configurations are left out, and with them the sizes.
  getProfiles: { name: 'GetProfiles', namespace: MEDIA2, content: '<t:Type>VideoEncoder</t:Type>' },
  readProfiles: (response) =>
    elementsNamed(response, 'Profiles').map((profile) =>
      readProfile(profile, elementAt(profile, 'Configurations', 'VideoEncoder')),
    ),
  getStreamUri: (token, transport) => ({
    name: 'GetStreamUri',
    namespace: MEDIA2,
    content:
      `<t:Protocol>${transport === 'tcp' ? 'RTSP' : 'RtspUnicast'}</t:Protocol>` +
      `<t:ProfileToken>${escapeXml(token)}</t:ProfileToken>`,
  }),
  readStreamUri: (response) => textAt(response, 'Uri'),
}

function readProfile(profile: XmlElement, encoder: XmlElement | undefined): OnvifProfile {
  const encoding = plainText(textAt(encoder, 'Encoding'))
  return {
    // Sent back as it came: a token is the device's own.
    token: profile.attributes.get('token') ?? '',
    name: plainText(textAt(profile, 'Name')),
    encoding: encoding === '' ? null : encoding,
    width: positive(textAt(encoder, 'Resolution', 'Width')),
    height: positive(textAt(encoder, 'Resolution', 'Height')),
    fps: positive(textAt(encoder, 'RateControl', 'FrameRateLimit')),
  }
}

/** An xs:int or xs:float above zero. */
function positive(text: string): number | null {
  const value = Number.parseFloat(text)
  return Number.isFinite(value) && value > 0 ? value : null
}

/**
 * The profile with the wanted token; otherwise the largest picture, then the highest rate, then the device's order.
 * `undefined` when there is none.
 */
export function chooseProfile(profiles: readonly OnvifProfile[], wanted: string | undefined): OnvifProfile | undefined {
  if (wanted !== undefined) return profiles.find(({ token }) => token === wanted)
  const area = ({ width, height }: OnvifProfile) => (width ?? 0) * (height ?? 0)
  return profiles.toSorted((a, b) => area(b) - area(a) || (b.fps ?? 0) - (a.fps ?? 0))[0]
}
