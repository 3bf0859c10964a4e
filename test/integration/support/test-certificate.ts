/** A key and a certificate for 127.0.0.1 that nobody has signed, made by openssl once on each machine; good for nothing else. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kept } from './clip-cache.ts'

const REQUEST = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650']
const SUBJECT = ['-subj', '/CN=camera.test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']

/** PEM. */
export function testCertificate(): { key: Buffer; cert: Buffer } {
  const folder = kept('certificate', 'pem', [...REQUEST, ...SUBJECT], (path) => {
    mkdirSync(path)
    const files = ['-keyout', join(path, 'key'), '-out', join(path, 'cert')]
    execFileSync('openssl', ['req', '-x509', ...REQUEST, ...SUBJECT, ...files], { stdio: 'pipe', timeout: 20_000 })
  })
  return { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) }
}
