/** Recovery codes, shown once: to copy, keep as a file or print; closed by whoever says that they are safe. */
import { Download, Printer } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { CopyButton } from '../ui/parts.tsx'
import css from './account.module.css'

function keepAsFile(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = m.recoveryFile
  link.click()
  URL.revokeObjectURL(url)
}

export function CodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const me = useMe()
  const [kept, setKept] = useState(false)
  const heading = m.recoverySheet(me.email, location.host)
  const sheet = `${heading}\n\n${codes.join('\n')}\n`
  return (
    <Dialog title={m.recoveryTitle} onClose={onClose} firm>
      <DialogText>{m.recoveryText}</DialogText>
      <p className={css.sheet}>{heading}</p>
      <ol className={css.codes} data-sheet>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className={css.tools}>
        <CopyButton text={sheet} label={m.recoveryCopy} />
        <Button look="plain" icon={<Download aria-hidden />} onPress={() => keepAsFile(sheet)}>
          {m.recoveryDownload}
        </Button>
        <Button look="plain" icon={<Printer aria-hidden />} onPress={() => window.print()}>
          {m.recoveryPrint}
        </Button>
      </div>
      <Switch label={m.recoveryKept} value={kept} onChange={setKept} />
      <DialogActions>
        <Button look="primary" isDisabled={!kept} onPress={onClose}>
          {m.done}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
