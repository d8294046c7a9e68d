/** What closes programs cannot be undone: say exactly what is lost, and what is kept. */
import type { Session } from '@kalnet/contracts/session'
import * as m from '../messages/index.ts'
import { Confirm } from '../ui/dialog.tsx'
import { removeWithUndo, useRestart, useSleep, useStop } from './actions.ts'
import { keptWords } from './kept.ts'

export type Ending = 'stop' | 'restart' | 'sleep' | 'delete'
interface ConfirmEndingProps<E extends Ending = Ending> {
  session: Session
  ending: E
  onClose: () => void
  onDone?: () => void
}

export default function ConfirmEnding({ ending, ...props }: ConfirmEndingProps) {
  return ending === 'delete' ? (
    <Deleting ending={ending} {...props} />
  ) : (
    <Closing ending={ending} {...props} />
  )
}

/** What sleeps is only its files: how large they are, and where. */
function Deleting({ session, onClose, onDone }: ConfirmEndingProps<'delete'>) {
  return (
    <Confirm
      title={m.deleteTitle(session.name)}
      text={`${keptWords(session)} ${m.deleteText}`}
      action={m.deleteForGood}
      pending={false}
      onClose={onClose}
      onConfirm={() => {
        removeWithUndo(session)
        onClose()
        onDone?.()
      }}
    />
  )
}

function Closing({ session, ending, onClose, onDone }: ConfirmEndingProps<'stop' | 'restart' | 'sleep'>) {
  const stop = useStop()
  const restart = useRestart()
  const sleep = useSleep()
  const { work, title, text, action } = {
    stop: {
      work: stop,
      title: m.stopTitle,
      text: session.keepsHome ? `${m.stopText} ${m.stopKeepsNothing}` : m.stopText,
      action: m.stop,
    },
    restart: { work: restart, title: m.restartTitle, text: m.restartText, action: m.restart },
    sleep: { work: sleep, title: m.sleepTitle, text: m.sleepText, action: m.putToSleep },
  }[ending]
  return (
    <Confirm
      title={title(session.name)}
      text={text}
      action={action}
      look={ending === 'sleep' ? 'primary' : 'danger'}
      pending={work.isPending}
      onClose={onClose}
      onConfirm={() =>
        work.mutate(session, {
          onSuccess: () => onDone?.(),
          onSettled: onClose,
        })
      }
    />
  )
}
