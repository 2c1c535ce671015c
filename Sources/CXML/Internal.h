// Internal.h: shared by the files of this module only.

#ifndef HERSE_CXML_INTERNAL_H
#define HERSE_CXML_INTERNAL_H

/// Once for all threads, before anything else is asked of libxml2.
void herse_xml_start_library(void);

#endif
