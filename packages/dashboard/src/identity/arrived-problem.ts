/** For those who are signed in already (linking, proving): what went wrong at a provider, said as a notice. */
import * as m from '../messages/index.ts'
import { toast } from '../ui/toast.ts'
import { takeProblem } from './take-problem.ts'

export function tellArrivedProblem(): void {
  const code = takeProblem()
  if (code === null) return
  const [message, next] = m.providerProblems[code] ?? m.providerProblem
  toast({ tone: 'bad', text: `${message} ${next}` })
}
