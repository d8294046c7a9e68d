/** Reads docs/requirements.yaml: the requirements carried so far, each as clauses. Problems are sentences with their line. */
import { LineCounter, parseDocument } from 'yaml'

export interface Clause {
  /** `SES-1.launch` */
  id: string
  text: string
  /** Said openly not to be there yet: it needs no test, and no page may claim it. */
  open: boolean
}
export interface Requirement {
  id: string
  what: string
  clauses: Clause[]
}
export interface Requirements {
  requirements: Requirement[]
  problems: string[]
}

export const CLAUSE = /[A-Z][A-Z0-9]*-\d+\.[a-z0-9]+(?:-[a-z0-9]+)*/

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function parseRequirements(text: string): Requirements {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const wrong = document.errors.map((error) => `docs/requirements.yaml: ${error.message.split('\n')[0]}`)
  if (wrong.length > 0) return { requirements: [], problems: wrong }
  const data: unknown = document.toJS({ maxAliasCount: 0 })
  const problems: string[] = []
  if (!isMap(data))
    return { requirements: [], problems: ['docs/requirements.yaml: it lists requirements by id'] }
  const requirements = Object.entries(data).map(([id, value]) => {
    const say = (problem: string) => problems.push(`docs/requirements.yaml, ${id}: ${problem}`)
    if (!/^[A-Z][A-Z0-9]*-\d+$/.test(id)) say('is not an id such as SES-1')
    const entry = isMap(value) ? value : {}
    if (typeof entry.what !== 'string') say('says not `what` it is')
    const unknown = Object.keys(entry).filter((key) => key !== 'what' && key !== 'clauses')
    if (unknown.length > 0) say(`has the unknown key ${unknown.join(', ')}`)
    const given = isMap(entry.clauses) ? Object.entries(entry.clauses) : []
    if (given.length === 0) say('has no clauses')
    const clauses = given.map(([word, clause]): Clause => {
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(word)) say(`${word} is not a word of small letters and dashes`)
      if (typeof clause === 'string') return { id: `${id}.${word}`, text: clause, open: false }
      if (isMap(clause) && typeof clause.open === 'string')
        return { id: `${id}.${word}`, text: clause.open, open: true }
      say(`${word} is a sentence, or {open: sentence}`)
      return { id: `${id}.${word}`, text: '', open: true }
    })
    return { id, what: String(entry.what ?? ''), clauses }
  })
  return { requirements, problems }
}
