/**
 * What devices answer: the shapes of onvif.org's WSDLs as real devices fill them, in the several ways in which they write
 * namespaces. Test support.
 */

export type Dialect =
  /** `SOAP-ENV:`, `tds:`, everything declared at the root, an empty header: what gSOAP makes. */
  | 'gsoap'
  /** `env:` and numbered prefixes. */
  | 'numbered'
  /** Default namespaces, declared where they change. */
  | 'unprefixed'

const NAMESPACES = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tr2: 'http://www.onvif.org/ver20/media/wsdl',
  tt: 'http://www.onvif.org/ver10/schema',
  ter: 'http://www.onvif.org/ver10/error',
  wsa: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  d: 'http://schemas.xmlsoap.org/ws/2005/04/discovery',
  dn: 'http://www.onvif.org/ver10/network/wsdl',
}
type Prefix = keyof typeof NAMESPACES
const prefixes = Object.keys(NAMESPACES) as Prefix[]

/** The envelope around `body` and `header`, which use the prefixes above. */
export function inDialect(dialect: Dialect, body: string, header = ''): string {
  const declarations = (rename: (prefix: Prefix) => string) =>
    prefixes.map((prefix) => ` xmlns:${rename(prefix)}="${NAMESPACES[prefix]}"`).join('')
  const head = header === '' && dialect === 'unprefixed' ? '' : `<s:Header>${header}</s:Header>`
  const xml = `<s:Envelope>${head}<s:Body>${body}</s:Body></s:Envelope>`
  if (dialect === 'unprefixed') {
    // Names in values keep their prefixes, so they stay declared.
    const plain = xml.replaceAll(/<(\/?)(\w+):(\w+)/g, (_, slash: string, prefix: Prefix, name: string) =>
      slash ? `</${name}` : `<${name} xmlns="${NAMESPACES[prefix]}"`,
    )
    return `\r\n<?xml version='1.0' encoding='utf-8'?>${plain.replace('<Envelope', `<Envelope${declarations((p) => p)}`)}`
  }
  const rename = (prefix: Prefix) => {
    if (dialect === 'gsoap') return prefix === 's' ? 'SOAP-ENV' : prefix
    return prefix === 's' ? 'env' : `ns${prefixes.indexOf(prefix)}`
  }
  const renamed = xml.replaceAll(
    new RegExp(`\\b(${prefixes.join('|')}):(?=[A-Z])`, 'g'),
    (_, prefix: Prefix) => `${rename(prefix)}:`,
  )
  const root = dialect === 'gsoap' ? 'SOAP-ENV:Envelope' : 'env:Envelope'
  const indented = renamed.replaceAll('><', '>\n  <')
  return `<?xml version="1.0" encoding="UTF-8"?>\n${indented.replace(`<${root}`, `<${root}${declarations(rename)}`)}\n`
}

export interface SimulatedProfile {
  token: string
  name: string
  /** Without one the profile has no video. */
  video?: { encoding: string; width: number; height: number; fps: number }
}

/** The largest is neither first nor last, and one has no video. */
export const usualProfiles: SimulatedProfile[] = [
  { token: 'Profile_2', name: 'subStream', video: { encoding: 'H264', width: 640, height: 480, fps: 15 } },
  { token: 'Profile_1', name: 'main & first', video: { encoding: 'H265', width: 2592, height: 1944, fps: 25 } },
  { token: 'jpeg', name: 'snapshots', video: { encoding: 'JPEG', width: 1280, height: 720, fps: 6 } },
  { token: 'audio', name: 'audioOnly' },
]

const text = (value: string) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

export function systemDateAndTime(nowMs: number): string {
  const now = new Date(nowMs)
  const time = (date: Date) =>
    `<tt:Time><tt:Hour>${date.getUTCHours()}</tt:Hour><tt:Minute>${date.getUTCMinutes()}</tt:Minute><tt:Second>${date.getUTCSeconds()}</tt:Second></tt:Time>` +
    `<tt:Date><tt:Year>${date.getUTCFullYear()}</tt:Year><tt:Month>${date.getUTCMonth() + 1}</tt:Month><tt:Day>${date.getUTCDate()}</tt:Day></tt:Date>`
  return (
    '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>' +
    '<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CST-08:00</tt:TZ></tt:TimeZone>' +
    `<tt:UTCDateTime>${time(now)}</tt:UTCDateTime>` +
    `<tt:LocalDateTime>${time(new Date(nowMs + 8 * 3_600_000))}</tt:LocalDateTime>` +
    '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
  )
}

/** `addresses` by namespace prefix. */
export function services(addresses: Partial<Record<'tds' | 'trt' | 'tr2', string>>): string {
  const service = (namespace: string, address: string) =>
    `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${text(address)}</tds:XAddr>` +
    '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>'
  const all = Object.entries(addresses).map(([prefix, address]) => service(NAMESPACES[prefix as Prefix], address))
  const events = service('http://www.onvif.org/ver10/events/wsdl', addresses.tds ?? '')
  return `<tds:GetServicesResponse>${events}${all.join('')}</tds:GetServicesResponse>`
}

export function capabilities(device: string, media: string | undefined): string {
  const mediaPart = media
    ? `<tt:Media><tt:XAddr>${text(media)}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>` +
      '<tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>'
    : ''
  return (
    `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Analytics><tt:XAddr>${text(device)}</tt:XAddr></tt:Analytics>` +
    `<tt:Device><tt:XAddr>${text(device)}</tt:XAddr></tt:Device>${mediaPart}</tds:Capabilities></tds:GetCapabilitiesResponse>`
  )
}

const multicast =
  '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>224.0.0.88</tt:IPv4Address></tt:Address>' +
  '<tt:Port>8888</tt:Port><tt:TTL>255</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>'

const videoSource =
  '<tt:Name>VideoSourceConfig</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>VideoSource_1</tt:SourceToken>' +
  '<tt:Bounds height="720" width="1280" y="0" x="0"></tt:Bounds>'

export function profiles1(profiles: readonly SimulatedProfile[]): string {
  const one = ({ token, name, video }: SimulatedProfile) =>
    `<trt:Profiles fixed="true" token="${text(token)}"><tt:Name>${text(name)}</tt:Name>` +
    `<tt:VideoSourceConfiguration token="VideoSourceToken">${videoSource}</tt:VideoSourceConfiguration>` +
    (video
      ? `<tt:VideoEncoderConfiguration token="Encoder_${text(token)}"><tt:Name>Encoder</tt:Name><tt:UseCount>1</tt:UseCount>` +
        `<tt:Encoding>${video.encoding}</tt:Encoding><tt:Resolution><tt:Width>${video.width}</tt:Width><tt:Height>${video.height}</tt:Height></tt:Resolution>` +
        `<tt:Quality>2</tt:Quality><tt:RateControl><tt:FrameRateLimit>${video.fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>` +
        `<tt:BitrateLimit>5120</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264>` +
        `${multicast}<tt:SessionTimeout>PT5S</tt:SessionTimeout></tt:VideoEncoderConfiguration>`
      : '') +
    '</trt:Profiles>'
  return `<trt:GetProfilesResponse>${profiles.map(one).join('')}</trt:GetProfilesResponse>`
}

/** Without a type in the request the configurations are left out, as media.wsdl says and devices do. */
export function profiles2(profiles: readonly SimulatedProfile[], types: string | undefined): string {
  const encoder = (video: NonNullable<SimulatedProfile['video']>) =>
    `<tr2:VideoEncoder token="Encoder" GovLength="50" Profile="Main"><tt:Name>Encoder</tt:Name><tt:UseCount>1</tt:UseCount>` +
    `<tt:Encoding>${video.encoding}</tt:Encoding><tt:Resolution><tt:Width>${video.width}</tt:Width><tt:Height>${video.height}</tt:Height></tt:Resolution>` +
    `<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${video.fps.toFixed(6)}</tt:FrameRateLimit><tt:BitrateLimit>6144</tt:BitrateLimit></tt:RateControl>` +
    `${multicast}<tt:Quality>3.000000</tt:Quality></tr2:VideoEncoder>`
  const one = ({ token, name, video }: SimulatedProfile) =>
    `<tr2:Profiles token="${text(token)}" fixed="true"><tr2:Name>${text(name)}</tr2:Name><tr2:Configurations>` +
    (types === 'All' ? `<tr2:VideoSource token="VideoSourceToken">${videoSource}</tr2:VideoSource>` : '') +
    (types && video ? encoder(video) : '') +
    '</tr2:Configurations></tr2:Profiles>'
  return `<tr2:GetProfilesResponse>${profiles.map(one).join('')}</tr2:GetProfilesResponse>`
}

export const streamUri1 = (uri: string) =>
  `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${text(uri)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>` +
  '<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>'

export const streamUri2 = (uri: string) =>
  `<tr2:GetStreamUriResponse><tr2:Uri>${text(uri)}</tr2:Uri></tr2:GetStreamUriResponse>`

/** A maker that writes a terminal's escape sequence into its name. */
export const deviceInformation =
  '<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme\u009b31m Cameras</tds:Manufacturer><tds:Model>X-1</tds:Model>' +
  '<tds:FirmwareVersion>V5.4.3 build 1</tds:FirmwareVersion><tds:SerialNumber>0815</tds:SerialNumber>' +
  '<tds:HardwareId>88</tds:HardwareId></tds:GetDeviceInformationResponse>'

export const fault = (code: 'Sender' | 'Receiver', subcodes: string[], reason: string) =>
  `<s:Fault><s:Code><s:Value>s:${code}</s:Value>${subcodes
    .map((subcode) => `<s:Subcode><s:Value>ter:${subcode}</s:Value>`)
    .join('')}${'</s:Subcode>'.repeat(subcodes.length)}</s:Code>` +
  `<s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`

export interface SimulatedMatch {
  endpoint: string
  types: string
  scopes: string
  xaddrs: string
}

/** A body and a header. */
export function probeMatches(relatesTo: string, matches: readonly SimulatedMatch[]): [string, string] {
  const one = ({ endpoint, types, scopes, xaddrs }: SimulatedMatch) =>
    `<d:ProbeMatch><wsa:EndpointReference><wsa:Address>${endpoint}</wsa:Address></wsa:EndpointReference><d:Types>${types}</d:Types>` +
    `<d:Scopes>${scopes}</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`
  return [
    `<d:ProbeMatches>${matches.map(one).join('')}</d:ProbeMatches>`,
    `<wsa:MessageID>urn:uuid:01234567-dead-beef-baad-abcdeffedcba</wsa:MessageID><wsa:RelatesTo>${relatesTo}</wsa:RelatesTo>` +
      `<wsa:To>${NAMESPACES.wsa}/role/anonymous</wsa:To><wsa:Action>${NAMESPACES.d}/ProbeMatches</wsa:Action>` +
      '<d:AppSequence MessageNumber="161" InstanceId="0"></d:AppSequence>',
  ]
}
