/**
 * The search thread: owns the embeddings in memory and a read-only connection of its own. Entry of a worker_threads Worker
 * in the daemon, so that neither a search nor the loading of a large gallery holds the daemon's loop. Must never write.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { GrabberError } from '../../../core/errors.ts'
import { openReadOnly, type Store } from '../sqlite.ts'
import { PeopleSearch, type Removal } from './people-search.ts'
import { type FromSearch, LOADED, type SearchPlace, type ToSearch } from './search-wire.ts'

const port = parentPort
if (port === null) throw new Error('src/store/search/search-worker.ts is the entry of a worker thread')

const loaded = load(workerData as SearchPlace)
if (loaded) port.on('message', (message: ToSearch) => port.postMessage(answer(loaded, message)))

interface Loaded {
  store: Store
  people: PeopleSearch
  dataVersion: number
}

/** Says how it went; without people to search there is nothing to stay for. */
function load({ path, model, dimension }: SearchPlace): Loaded | undefined {
  const say = (answer: FromSearch) => port?.postMessage(answer)
  try {
    const store = openReadOnly(path)
    const dataVersion = store.dataVersion()
    const people = store.transaction('read', () => new PeopleSearch(store, model, dimension))
    say({ type: 'refreshed', id: LOADED, sizes: people.sizes })
    return { store, people, dataVersion }
  } catch (error) {
    if (!(error instanceof GrabberError)) throw error
    say({ type: 'failed', id: LOADED, error: error.toJSON() })
    return undefined
  }
}

function answer(loaded: Loaded, message: ToSearch): FromSearch {
  const { id } = message
  const { store, people } = loaded
  try {
    if (message.type === 'refresh') {
      refresh(loaded, message.removal)
      return { type: 'refreshed', id, sizes: people.sizes }
    }
    // Every commit of another connection moves the data version (1 µs a look), and few touch people.
    if (store.dataVersion() !== loaded.dataVersion) refresh(loaded)
    return { type: 'hits', id, hits: people.search(message.kind, message.embedding, message.k) }
  } catch (error) {
    // A coded error is the asker's; anything else is a defect and ends the thread.
    if (!(error instanceof GrabberError)) throw error
    return { type: 'failed', id, error: error.toJSON() }
  }
}

function refresh(loaded: Loaded, removal?: Removal): void {
  const { store, people } = loaded
  loaded.dataVersion = store.dataVersion()
  store.transaction('read', () => people.refresh(removal))
}
