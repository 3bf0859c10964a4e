import { expect, it } from 'vitest'
import { passwordDigest, usernameToken } from '../../../../../streams/sources/onvif/username-token.ts'

/** ONVIF Application Programmer's Guide, §6.1.1.3. */
const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64')
const created = '2010-09-16T07:50:45Z'

it('gives the digest of the Application Programmer’s Guide', () => {
  expect(passwordDigest(nonce, created, 'userpassword')).toBe('tuOSpGlFlIXsozq4HFNeeGeFLEI=')
})

it('makes the token of the Guide, to the second', () => {
  const token = usernameToken({ user: 'a<b', password: 'userpassword' }, Date.parse(created) + 999, nonce)
  expect(token).toContain('<wsse:Username>a&lt;b</wsse:Username>')
  expect(token).toContain('#PasswordDigest">tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password>')
  expect(token).toContain('#Base64Binary">LKqI6G/AikKCQrN0zqZFlg==</wsse:Nonce><wsu:Created>2010-09-16T07:50:45Z<')
  expect(token).not.toContain('userpassword')
})

it('takes a new nonce each time', () => {
  const token = () => usernameToken({ user: 'a', password: 'b' }, 0)
  expect(token()).not.toBe(token())
})
