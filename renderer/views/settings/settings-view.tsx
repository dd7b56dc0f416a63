import { Stack } from '@mantine/core';
import { ViewHeader } from '../../widgets/view-header.tsx';
import { AboutSection } from './about-section.tsx';
import { AppearanceSection } from './appearance-section.tsx';
import { ChinaTelecomSection } from './china-telecom-section.tsx';
import { FileTypesSection } from './file-types-section.tsx';
import { FormatsSection } from './formats-section.tsx';
import { PersonSection } from './person-section.tsx';
import { PolicySection } from './policy-section.tsx';
import classes from './settings-view.module.css';
import { ShortcutsSection } from './shortcuts-section.tsx';

/** Theme, file types, formats, policies, China Telecom SIMs, workspace, version and keyboard shortcuts. */
export function SettingsView() {
  return (
    <>
      <ViewHeader
        title="Settings"
        about="File types, formats and SIM prefixes are kept in slipway.yaml"
      />
      <div className={classes.columns}>
        <Stack gap="sm">
          <AppearanceSection />
          <PersonSection />
          <FileTypesSection />
          <FormatsSection />
          <ChinaTelecomSection />
        </Stack>
        <Stack gap="sm">
          <PolicySection />
          <AboutSection />
          <ShortcutsSection />
        </Stack>
      </div>
    </>
  );
}
