import { describe, expect, it } from 'vitest'
import { chooseProfile, media1, media2, type OnvifProfile } from '../../../../../streams/sources/onvif/media-service.ts'
import { parseXml } from '../../../../../streams/sources/onvif/xml.ts'

const profile = (token: string, width: number | null, height: number | null, fps: number | null): OnvifProfile => ({
  token,
  name: token,
  encoding: 'H264',
  width,
  height,
  fps,
})

describe('which profile', () => {
  const none = profile('none', null, null, null)
  const small = profile('small', 640, 480, 25)
  const slow = profile('slow', 1920, 1080, 5)
  const large = profile('large', 1920, 1080, 25)
  const same = profile('same', 1080, 1920, 25)

  it('the largest, then the fastest, then the first', () => {
    expect(chooseProfile([none, small, slow, large, same], undefined)).toBe(large)
    expect(chooseProfile([same, large], undefined)).toBe(same)
    expect(chooseProfile([none], undefined)).toBe(none)
    expect(chooseProfile([], undefined)).toBeUndefined()
  })

  it('the wanted one and no other', () => {
    expect(chooseProfile([large, small], 'small')).toBe(small)
    expect(chooseProfile([large, small], 'Small')).toBeUndefined()
  })
})

describe('what a device says of its profiles', () => {
  it('may be next to nothing', () => {
    const nothing = { token: '', name: '', encoding: null, width: null, height: null, fps: null }
    for (const media of [media1, media2]) expect(media.readProfiles(parseXml('<R><Profiles/></R>'))).toEqual([nothing])
    // Seen: Media2 without configurations.
    const bare =
      '<R><Profiles token="P" fixed="true"><Name>mainStream</Name><Configurations></Configurations></Profiles></R>'
    expect(media2.readProfiles(parseXml(bare))).toEqual([{ ...nothing, token: 'P', name: 'mainStream' }])
  })

  it('may be nonsense', () => {
    const text = (width: string, fps: string) =>
      `<R><Profiles token="&#x9;p"><Name>a\u202Eb</Name><VideoEncoderConfiguration><Encoding> </Encoding><Resolution><Width>${width}</Width>` +
      `<Height>-1</Height></Resolution><RateControl><FrameRateLimit>${fps}</FrameRateLimit></RateControl></VideoEncoderConfiguration></Profiles></R>`
    expect(media1.readProfiles(parseXml(text('1e999', 'NaN')))).toEqual([
      { token: '\tp', name: 'a b', encoding: null, width: null, height: null, fps: null },
    ])
    expect(media1.readProfiles(parseXml(text('640', '29.97')))[0]).toMatchObject({ width: 640, fps: 29.97 })
  })
})

it('a token is written as XML', () => {
  for (const media of [media1, media2]) {
    expect(media.getStreamUri('<&"', 'tcp').content).toContain('<t:ProfileToken>&lt;&amp;&quot;</t:ProfileToken>')
  }
})
