/**
 * The device service (`tds`): the clock, where the media services are, who the device is. Session hosts and commands.
 * Shapes from devicemgmt.wsdl of onvif.org (ver10/device) and from answers of real devices.
 */
import { GrabberError } from '../../../core/errors.ts'
import { type MediaService, media1, media2, type Operation } from './media-service.ts'
import { reachableService } from './onvif-address.ts'
import { OnvifFault, type OnvifSession } from './onvif-session.ts'
import { plainText } from './plain-text.ts'
import { elementAt, elementsNamed, textAt, type XmlElement } from './xml.ts'

export interface OnvifDevice {
  manufacturer: string
  model: string
  firmware: string
}

export interface MediaEndpoint {
  media: MediaService
  url: URL
}

const operation = (name: string, content = ''): Operation => ({
  name,
  namespace: 'http://www.onvif.org/ver10/device/wsdl',
  content,
})

/** The device's UTC, ms since the epoch; `undefined` when it wants credentials for it, or does not say. */
export async function askDeviceTimeMs(session: OnvifSession, device: URL): Promise<number | undefined> {
  // Open by specification (access class PRE_AUTH), since the UsernameToken needs the device's time.
  const response = await session.callOpenly(device, operation('GetSystemDateAndTime')).catch((error) => {
    if (error instanceof OnvifFault) return undefined
    throw error
  })
  const utc = elementAt(response, 'SystemDateAndTime', 'UTCDateTime')
  const numbers = (part: string, ...fields: string[]) => fields.map((field) => readNumber(utc, part, field))
  const [year, month, day] = numbers('Date', 'Year', 'Month', 'Day') as [number, number, number]
  const [hour, minute, second] = numbers('Time', 'Hour', 'Minute', 'Second') as [number, number, number]
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  // Beyond four digits the year has another form in the token; a clock like that is no clock.
  return year >= 1900 && year <= 9999 && Number.isFinite(ms) ? ms : undefined
}

/**
 * The media services, the one to be preferred first, at addresses that can be reached from here. GetServices is younger than
 * ONVIF: devices without it have GetCapabilities, which knows Media1 only. Errors: SRC_ONVIF when there is none.
 */
export async function findMedia(session: OnvifSession, device: URL): Promise<MediaEndpoint[]> {
  const found = (await askServices(session, device)) ?? (await askCapabilities(session, device))
  const reachable = found.flatMap(({ media, given }): MediaEndpoint[] => {
    const url = reachableService(given, device)
    return url === undefined ? [] : [{ media, url }]
  })
  if (reachable.length === 0) throw new GrabberError('SRC_ONVIF', 'the device has no media service')
  return reachable
}

interface GivenAddress {
  media: MediaService
  given: string
}

async function askServices(session: OnvifSession, device: URL): Promise<GivenAddress[] | undefined> {
  const ask = operation('GetServices', '<t:IncludeCapability>false</t:IncludeCapability>')
  try {
    const services = elementsNamed(await session.call(device, ask), 'Service')
    return [media2, media1].flatMap((media) =>
      services
        .filter((service) => textAt(service, 'Namespace') === media.namespace)
        .slice(0, 1)
        .map((service) => ({ media, given: textAt(service, 'XAddr') })),
    )
  } catch (error) {
    if (error instanceof GrabberError && error.code === 'SRC_ONVIF') return undefined
    throw error
  }
}

async function askCapabilities(session: OnvifSession, device: URL): Promise<GivenAddress[]> {
  const response = await session.call(device, operation('GetCapabilities', '<t:Category>All</t:Category>'))
  return [{ media: media1, given: textAt(response, 'Capabilities', 'Media', 'XAddr') }]
}

/** Errors: those of a call. */
export async function askDevice(session: OnvifSession, device: URL): Promise<OnvifDevice> {
  const response = await session.call(device, operation('GetDeviceInformation'))
  const text = (name: string) => plainText(textAt(response, name))
  return { manufacturer: text('Manufacturer'), model: text('Model'), firmware: text('FirmwareVersion') }
}

function readNumber(from: XmlElement | undefined, ...path: string[]): number {
  const text = textAt(from, ...path)
  return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
}
