#pragma once

/// Files and directories: whole files, open ones, paths, directories, temporary ones, and changes as they happen.

#include <eddy/fs/directory.hpp>
#include <eddy/fs/file.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/fs/metadata.hpp>
#include <eddy/fs/open_options.hpp>
#include <eddy/fs/paths.hpp>
#include <eddy/fs/read.hpp>
#include <eddy/fs/temp.hpp>
#include <eddy/fs/watch.hpp>
