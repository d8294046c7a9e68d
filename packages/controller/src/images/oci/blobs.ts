/** Brings one blob into a repository: looked for first, lent by another repository where one has it, else sent in pieces that can be taken up again. */
import { type FileHandle, open } from 'node:fs/promises'
import type { Answer } from '@kalnet/io/outbound'
import type { RegistryClient } from './client.ts'
import { RegistryProblem } from './pushed.ts'
import { Passing, problemOf } from './said.ts'

/** What is in memory of a layer at any time. Stores behind registries want at least 5 MiB for all but the last piece. */
const PIECE = 8 << 20
const LARGEST_PIECE = 64 << 20
const PIECE_LIMIT_MS = 5 * 60_000
/** Registries look at all of it once more before they say that it is whole. */
const WHOLE_LIMIT_MS = 10 * 60_000
/**
 * A registry that forgets an upload, or finds it damaged, gets it from the beginning so many times. Those of the distribution
 * project forget it when a piece broke in the middle, and keep it over a restart between two.
 */
const BEGINNINGS = 5

export interface Blob {
  digest: string
  size: number
}
export interface BlobPush {
  client: RegistryClient
  repository: string
  blob: Blob
  signal: AbortSignal
}

const scopesOf = (repository: string) => [`${repository}:pull,push`]

/** 307 is an answer too: registries redirect to where they keep what they have. */
export async function isThere({ client, repository, blob, signal }: BlobPush): Promise<boolean> {
  const at = `/v2/${repository}/blobs/${blob.digest}`
  const request = { method: 'HEAD' as const, at, scopes: scopesOf(repository), signal }
  const answer = await client.call(request, `${client.host} could not be asked`, [200, 307, 404])
  return answer.status !== 404
}

/** Where the next piece goes, and from which byte on. */
interface Upload {
  at: string
  from: number
  piece: number
}

function uploadOf(answer: Answer, from: number, piece: number): Upload {
  const { location } = answer.headers
  if (!location || !URL.canParse(location, answer.url))
    throw new RegistryProblem(
      'failed',
      `${new URL(answer.url).host} does not say where a layer is to be sent.`,
    )
  return { at: new URL(location, answer.url).href, from, piece }
}

/** `0-1023`: 1024 bytes are there. `0-0` is what registries say of an empty upload. */
function received(answer: Answer, size: number): number {
  const last = Number(/^(?:bytes=)?0-(\d{1,15})$/.exec(answer.headers.range ?? '')?.[1] ?? 0)
  if (last >= size)
    throw new RegistryProblem(
      'failed',
      `${new URL(answer.url).host} says that it has more of a layer than there is.`,
    )
  return last === 0 ? 0 : last + 1
}

/** Null when another repository lent it. */
async function begin(it: BlobPush, lender: string | null, what: string): Promise<Upload | null> {
  const { client, repository, blob, signal } = it
  const mount = lender ? `?mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(lender)}` : ''
  const scopes = [...scopesOf(repository), ...(lender ? [`${lender}:pull`] : [])]
  const request = { method: 'POST' as const, at: `/v2/${repository}/blobs/uploads/${mount}`, scopes, signal }
  const answer = await client.call(request, what, [201, 202])
  if (answer.status === 201) {
    if (lender) return null
    throw new RegistryProblem('failed', `${client.host} says that it has a layer that nobody sent.`)
  }
  const least = Number(answer.headers['oci-chunk-min-length']) || 0
  return uploadOf(answer, 0, Math.min(Math.max(PIECE, least), LARGEST_PIECE))
}

async function readPiece(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const piece = Buffer.alloc(length)
  const { bytesRead } = await file.read(piece, 0, length, from)
  if (bytesRead !== length) throw new Error('a packed layer is shorter than it was')
  return piece
}

/** What the registry has of it by now, or null when it forgot all. */
async function takeUp(it: BlobPush, upload: Upload): Promise<Upload | null> {
  const { client, repository, blob, signal } = it
  const answer = await client.once({ method: 'GET', at: upload.at, scopes: scopesOf(repository), signal })
  if (answer.status !== 204) return null
  const next = answer.headers.location ? uploadOf(answer, 0, 0).at : upload.at
  return { ...upload, at: next, from: received(answer, blob.size) }
}

/** Sends the next piece and answers where it goes on; null when it has to begin again. */
async function sendPiece(
  it: BlobPush,
  upload: Upload,
  file: FileHandle,
  what: string,
): Promise<Upload | null> {
  const { client, repository, blob, signal } = it
  const body = await readPiece(file, upload.from, Math.min(upload.piece, blob.size - upload.from))
  const answer = await client.once({
    method: 'PATCH',
    at: upload.at,
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `${upload.from}-${upload.from + body.length - 1}`,
    },
    body,
    scopes: scopesOf(repository),
    timeoutMs: PIECE_LIMIT_MS,
    signal,
  })
  if (answer.status === 416) return takeUp(it, upload)
  if (answer.status === 404) return null
  if (answer.status !== 202 && answer.status !== 204) throw problemOf(answer, client.host, what)
  return uploadOf(answer, upload.from + body.length, upload.piece)
}

/** True when the registry has it whole and found its sum to be right. */
async function finish(it: BlobPush, upload: Upload, what: string): Promise<boolean> {
  const { client, repository, blob, signal } = it
  const url = new URL(upload.at)
  url.searchParams.set('digest', blob.digest)
  const scopes = scopesOf(repository)
  const answer = await client.once({
    method: 'PUT',
    at: url.href,
    body: '',
    scopes,
    timeoutMs: WHOLE_LIMIT_MS,
    signal,
  })
  if (answer.status === 201 || answer.status === 204) return true
  if (answer.status === 400 || answer.status === 404 || answer.status === 416) return false
  throw problemOf(answer, client.host, what)
}

export interface SendOptions extends BlobPush {
  /** The packed blob. */
  path: string
  /** A repository of the same registry that has it, perhaps. */
  lender: string | null
  /** What it is called in a sentence. */
  name: string
  onBytes(sent: number): void
}

/** Answers whether it went over the wire or was lent. */
export async function sendBlob(it: SendOptions): Promise<'sent' | 'lent'> {
  const { client, blob, signal, onBytes } = it
  const what = `${it.name} could not be sent`
  const file = await open(it.path)
  try {
    let upload = await begin(it, it.lender, what)
    if (!upload) return 'lent'
    let beginnings = 1
    let isBroken = false
    let furthest = 0
    return await client.persist(signal, async (moved) => {
      for (;;) {
        // What was under way when the connection broke may have arrived, or not.
        if (isBroken && upload) upload = await takeUp(it, upload)
        isBroken = false
        if (!upload) {
          if (await isThere(it)) return 'sent'
          beginnings += 1
          if (beginnings > BEGINNINGS)
            throw new RegistryProblem('failed', `${what}: ${client.host} lost it ${BEGINNINGS} times.`)
          upload = await begin(it, null, what)
          if (!upload) return 'lent'
          furthest = 0
        }
        onBytes(upload.from)
        const { from } = upload
        try {
          if (from >= blob.size) {
            if (await finish(it, upload, what)) return 'sent'
            upload = null
            continue
          }
          upload = await sendPiece(it, upload, file, what)
          if (upload && upload.from <= furthest)
            throw new Passing(`${what}: ${client.host} forgets what it was sent.`)
        } catch (error) {
          isBroken = error instanceof Passing
          throw error
        }
        if (!upload) continue
        furthest = upload.from
        moved()
      }
    })
  } finally {
    await file.close()
  }
}
