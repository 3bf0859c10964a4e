/** What a session is told of the face models, by setting and by what is installed. */
import { describe, expect, it } from 'vitest'
import { configSchema } from '../../config/schema.ts'
import { facesSpec, livenessWarning, modelIds, withoutMissing } from '../../src/face-models.ts'

type Setting = boolean | 'require' | 'report' | 'off'
const { faces } = configSchema.parse({}).defaults
const specFor = (liveness: Setting) => facesSpec({ ...faces, liveness })
const installed = ['yunet', 'face-reid-0095']
const withoutLiveness = (liveness: Setting) =>
  withoutMissing(specFor(liveness), new Set(['minifasnet-v1se']), liveness)!

describe('faces.liveness', () => {
  it('requires by default, with both published crops', () => {
    expect(faces.liveness).toBe(true)
    expect(specFor(true)).toEqual(specFor('require'))
    expect(specFor(true).liveness).toMatchObject({
      mode: 'require',
      models: [
        { id: 'minifasnet-v2', boxScale: 2.7, cropPx: 80, liveThreshold: 0.5, spoofThreshold: 0.3 },
        { id: 'minifasnet-v1se', boxScale: 4, cropPx: 80 },
      ],
    })
    expect(modelIds(specFor('report'))).toEqual([...installed, 'minifasnet-v2', 'minifasnet-v1se'])
    expect(livenessWarning(specFor(true))).toBeUndefined()
  })

  it('off asks for no model and warns of none', () => {
    for (const setting of ['off', false] as const) {
      expect(specFor(setting).liveness).toBeNull()
      expect(modelIds(specFor(setting))).toEqual(installed)
      expect(livenessWarning(specFor(setting))).toBeUndefined()
    }
  })

  it.for([
    [true, 'report', /^liveness is not checked: .*models pull/],
    ['report', 'report', /^liveness is not checked: .*models pull/],
    ['require', 'require', /^no name is confirmed: .*models pull.*report/],
  ] as const)('%s without its models: %s, and a warning', ([setting, mode, warning]) => {
    const spec = withoutLiveness(setting)
    expect(spec.liveness).toEqual({ mode, models: [] })
    expect(modelIds(spec)).toEqual(installed)
    expect(livenessWarning(spec)).toMatch(warning)
  })

  it('a missing detector or embedder leaves nothing', () => {
    expect(withoutMissing(specFor(true), new Set(['yunet']), true)).toBeNull()
    expect(withoutMissing(specFor(true), new Set(['face-reid-0095']), true)).toBeNull()
  })
})
