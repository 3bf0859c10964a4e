/**
 * A page in a real Chromium without a window, over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const hasChromium = spawnSync('sh', ['-c', 'command -v chromium']).status === 0

interface Answer {
  id?: number
  method?: string
  params?: unknown
  result?: unknown
  error?: { message: string }
}

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0']

export class BrowserPage implements AsyncDisposable {
  /** What the console said, exceptions and requests included. */
  readonly complaints: string[] = []
  readonly #child: ChildProcess
  readonly #profile: string
  #socket!: WebSocket
  #session: string | undefined
  #count = 0
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #loaded: () => void = () => undefined

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child
    this.#profile = profile
  }

  static async open(): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
    const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const page = new BrowserPage(child, profile)
    await page.#connect()
    return page
  }

  async #connect(): Promise<void> {
    const address = await new Promise<string>((resolve, reject) => {
      let said = ''
      this.#child.stderr!.on('data', (chunk) => {
        said += chunk
        const found = /ws:\/\/\S+/.exec(said)
        if (found) resolve(found[0])
      })
      this.#child.once('exit', (code) => reject(new Error(`chromium ended with ${code}: ${said}`)))
      this.#child.once('error', reject)
    })
    this.#socket = new WebSocket(address)
    await new Promise((opened, failed) => {
      this.#socket.onopen = opened
      this.#socket.onerror = failed
    })
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)))
    const { targetId } = await this.#send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
    const attached = await this.#send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
    this.#session = attached.sessionId
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.#send(`${domain}.enable`)
  }

  /** Loads `url` as a screen of that width sees it. */
  async show(url: string, width: number, scheme: 'light' | 'dark' = 'light'): Promise<void> {
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 }
    await this.#send('Emulation.setDeviceMetricsOverride', metrics)
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.#send('Emulation.setEmulatedMedia', { features })
    const loaded = new Promise<void>((resolve) => {
      this.#loaded = resolve
    })
    await this.#send('Page.navigate', { url })
    await loaded
  }

  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, returnByValue: true, awaitPromise: true }
    const { result } = await this.#send<{ result: { value: T } }>('Runtime.evaluate', options)
    return result.value
  }

  async move(x: number, y: number): Promise<void> {
    await this.#send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async #send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#count
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }))
    const { result, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as T
  }

  #take(message: Answer): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message)
    else if (message.method === 'Page.loadEventFired') this.#loaded()
    else if (/^(Runtime\.(exceptionThrown|consoleAPICalled)|Log\.entryAdded)$/.test(message.method ?? ''))
      this.complaints.push(JSON.stringify(message.params))
    else if (message.method === 'Network.requestWillBeSent') {
      const { url } = (message.params as { request: { url: string } }).request
      if (!url.startsWith('data:') && !url.startsWith('file:')) this.complaints.push(`request of ${url}`)
    }
  }
}
